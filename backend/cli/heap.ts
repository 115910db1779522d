import { setFlagsFromString } from 'node:v8'

// Imported before anything else: V8 reads these when it first grows its heap. What Waybill holds lives for the length of a call,
// and left to itself V8 lets the young generation grow to 128 MiB and the old one to several times what is live.
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--heap-growing-percent=75')
