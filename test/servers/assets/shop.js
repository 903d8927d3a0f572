// A small HTTPS service, as one would write it with Node's standard library. For
// /call it asks another HTTPS service.
const fs = require('node:fs');
const https = require('node:https');

const [port, cert, key, upstream] = process.argv.slice(2);
const pair = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
const agent = new https.Agent({ keepAlive: true, ca: pair.cert, servername: 'localhost' });

function answer(request, response) {
  const size = /^\/bytes\/(\d+)$/.exec(request.url);
  if (request.url === '/call') {
    https.get(`https://${upstream}/hello`, { agent }, (answered) => answered.pipe(response))
      .on('error', (failure) => response.writeHead(502).end(`${failure}\n`));
  } else if (request.method === 'POST') {
    request.pipe(response);
  } else {
    response.end(size ? 'x'.repeat(Number(size[1])) : 'ok\n');
  }
}

https.createServer(pair, answer).listen(Number(port), '127.0.0.1');
