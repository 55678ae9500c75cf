import { createServer } from 'node:http';

/** A collector that reads and forgets: a process of its own, as in production, so that what it costs is not the engine's. */
const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
});
server.listen(0, '127.0.0.1', () => process.send!(server.address()));
