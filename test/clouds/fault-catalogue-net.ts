import type { CatalogueFault } from './fault-catalogue.ts'

const everywhere = ['@read', '@list', '@download', '@write', '@token'] as const

/** Failures of connections and of proxies on the way, which every cloud shares. */
export const netFaults: readonly CatalogueFault[] = [
  {
    id: 'net.reset_before_response',
    provider: 'net',
    routes: everywhere,
    transient: true,
    act: { kind: 'reset' },
  },
  {
    id: 'net.reset_before_response.applied',
    provider: 'net',
    routes: ['@write', '@token'],
    transient: true,
    act: { kind: 'lost' },
  },
  {
    id: 'net.reset_mid_download',
    provider: 'net',
    routes: ['@download'],
    transient: true,
    act: { kind: 'cut' },
  },
  {
    id: 'net.short_body_clean_close',
    provider: 'net',
    routes: ['@download'],
    transient: true,
    act: { kind: 'short' },
  },
  {
    id: 'net.corrupt_byte',
    provider: 'net',
    routes: ['@download'],
    transient: true,
    act: { kind: 'flip' },
  },
  // A stall is waited for until the client's own patience ends: too slow for a menu, so only by plan.
  {
    id: 'net.stall',
    provider: 'net',
    routes: ['@download', '@list', '@read'],
    transient: false,
    act: { kind: 'stall' },
  },
  {
    id: 'net.range_ignored',
    provider: 'net',
    routes: ['@download'],
    transient: true,
    act: { kind: 'no-range' },
  },
  {
    id: 'net.html_502',
    provider: 'net',
    routes: everywhere,
    transient: true,
    act: {
      kind: 'answer',
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: '<html><head><title>502 Server Error</title></head></html>',
    },
  },
  {
    id: 'net.empty_503',
    provider: 'net',
    routes: everywhere,
    transient: true,
    act: { kind: 'answer', status: 503, body: null },
  },
  {
    id: 'net.408',
    provider: 'net',
    routes: everywhere,
    transient: true,
    act: { kind: 'answer', status: 408, body: null },
  },
  {
    id: 'net.retry_after_date',
    provider: 'net',
    routes: everywhere,
    transient: false,
    act: {
      kind: 'answer',
      status: 503,
      headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' },
      body: null,
    },
  },
  {
    id: 'net.retry_after_huge',
    provider: 'net',
    routes: everywhere,
    transient: false,
    act: { kind: 'answer', status: 429, headers: { 'retry-after': '86400' }, body: null },
  },
  {
    id: 'net.page_repeat',
    provider: 'net',
    routes: ['@list'],
    transient: true,
    act: { kind: 'rewrite', rewrite: repeatFirst },
  },
  {
    id: 'net.page_token_loop',
    provider: 'net',
    routes: ['drive.files.list', 'drive.changes.list'],
    transient: false,
    act: {
      kind: 'rewrite',
      rewrite: (json, query) =>
        query.has('pageToken') ? { ...json, nextPageToken: query.get('pageToken') } : json,
    },
  },
  {
    id: 'net.source_mutates',
    provider: 'net',
    routes: ['@download'],
    transient: true,
    act: { kind: 'inside' },
  },
]

/** Puts the first item of a page into it a second time, as overlapping pages do. */
function repeatFirst(json: Record<string, unknown>): unknown {
  for (const [key, rows] of Object.entries(json))
    if (Array.isArray(rows) && rows.length > 0)
      return { ...json, [key]: [...(rows as unknown[]), rows[0]] }
  return json
}
