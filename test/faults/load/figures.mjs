// Loaded before a program under load (`--import`): tells over its IPC channel what it holds, and
// does not keep it alive.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('message', (asked) => {
  if (asked !== 'figures') return;
  collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  process.send({
    kind: 'figures',
    rss,
    heap: heapUsed + arrayBuffers,
    resources: process.getActiveResourcesInfo(),
  });
});
process.channel?.unref();
