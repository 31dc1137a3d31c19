// Listens with the shortest queue, says its port, and is then stopped by its parent.
import { createServer } from 'node:net';

const server = createServer();
server.listen({ port: 0, host: '0.0.0.0', backlog: 1 }, () => {
  process.send(server.address().port);
});
process.on('disconnect', () => process.exit());
