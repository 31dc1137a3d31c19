// A program that embeds the library and has inherited descriptors: prints what a service has open.
import { from, firstValueFrom } from 'rxjs';
import { processService } from '../../dist/index.js';

const [, , executable] = process.argv;
const reply = await firstValueFrom(
  from(
    processService(executable)({
      service: 'selfcheck',
      arguments: new Uint8Array(),
      user: undefined,
      peer: { driver: 'memory' },
      handle: 1,
    }),
  ),
);
process.stdout.write(reply.body);
process.exit();
