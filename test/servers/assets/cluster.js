// Two workers behind one listener. The second argument picks who accepts:
// "rr": the primary accepts and hands connections out; "none": the workers do.
const cluster = require('node:cluster');
const http = require('node:http');

cluster.schedulingPolicy =
  process.argv[3] === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  http.createServer((request, response) => response.end(`${process.pid}\n`))
    .listen(Number(process.argv[2]), '127.0.0.1');
}
