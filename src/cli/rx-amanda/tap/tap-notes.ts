import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { tcpSourcePorts } from '../../../drivers/tcp-source-ports.js';
import { codeOf } from '../../terminal/file-errors.js';
import type { HostPort } from '../../terminal/host-port.js';
import type { Output } from '../output.js';

/** Tells at the start what a tap cannot do, a sentence each. The tap goes on in spite of it. */
export function withNotes<T>(target: HostPort, output: Output): MonoTypeOperatorFunction<T> {
  return (events) =>
    new Observable((out) => {
      for (const find of [() => nameNote(target), portNote]) {
        find()
          .then((text) => {
            if (text !== undefined && !out.closed) output.note(text);
          })
          .catch(() => undefined);
      }
      return events.subscribe(out);
    });
}

async function nameNote({ host }: HostPort): Promise<string | undefined> {
  try {
    await lookup(host);
    return undefined;
  } catch (error) {
    const isUnknown = codeOf(error) === 'ENOTFOUND';
    const why = isUnknown ? 'no host of that name is known' : 'its name cannot be looked up now';
    return `TARGET ${host}: ${why}, so connections would be cut.`;
  }
}

/** An initiator comes from a port below 1024, and a target of bsdtcp demands one. */
async function portNote(): Promise<string | undefined> {
  const [port] = tcpSourcePorts();
  if (port === undefined) return undefined;
  const code = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      resolve(codeOf(error));
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
  return code === 'EACCES'
    ? 'This user may not use ports below 1024, so a target of bsdtcp refuses what is passed on.'
    : undefined;
}
