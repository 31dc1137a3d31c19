// Takes connections and keeps the 512 last ones: what any listener has to pay.
import { createServer } from 'node:net';

const open = new Set();
const server = createServer((socket) => {
  open.add(socket.on('error', () => undefined).resume());
  socket.on('close', () => open.delete(socket));
  const [oldest] = open;
  if (open.size > 512) oldest.destroy();
});
server.listen(0, '127.0.0.1', () => {
  process.send({ kind: 'listening', port: server.address().port });
});
process.on('disconnect', () => process.exit());
