// `npm run marbles`: draws the pages under marbles/ and the real conversation of the documents, and
// removes the pictures of pages that are gone. `npm test` fails when this would change anything.
import { installModules } from './setup.mjs';
import { moduleFile, run, say } from './tools.mjs';

const failure = await installModules();
if (failure === undefined) {
  const env = { ...process.env, RX_AMANDA_MARBLES: 'write' };
  // The pages are TypeScript, which Node 20 cannot read and vitest can.
  const ran = await run(
    process.execPath,
    [
      moduleFile('vitest/vitest.mjs'),
      'run',
      '--project',
      'marbles',
      'test/marbles/pictures.test.ts',
      'test/marbles/recorded.test.ts',
    ],
    { env },
  );
  say(ran.status === 0 ? 'The pictures under marbles/ are drawn.' : ran.output);
  process.exitCode = ran.status;
} else {
  say(failure);
  process.exitCode = 1;
}
