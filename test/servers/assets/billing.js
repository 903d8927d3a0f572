// A small HTTP service, as one would write it with Node's standard library.
const http = require('node:http');

http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.statusCode = request.url.startsWith('/broken') ? 500 : 200;
    response.end('ok\n');
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
