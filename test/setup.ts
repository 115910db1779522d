// Google's clients look for a metadata server unless told that there is none.
process.env['METADATA_SERVER_DETECTION'] = 'none'
