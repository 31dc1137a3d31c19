// `npm run bench -- …`: the benchmarks, from a build of this checkout.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setup } from './setup.mjs';
import { root, say } from './tools.mjs';

const failure = await setup();
if (failure === undefined) {
  await import(pathToFileURL(join(root, 'bench/run.mjs')).href);
} else {
  say(failure);
  process.exitCode = 1;
}
