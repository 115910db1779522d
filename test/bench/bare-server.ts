import express from 'express'

// The least that answers over HTTP: what a cold start is compared with.
express()
  .get('/', (_request, response) => {
    response.json({ status: 'ok' })
  })
  .listen(Number(process.env['PORT']), '127.0.0.1')
