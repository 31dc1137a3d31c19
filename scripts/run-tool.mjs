// `npm run lint` and its like: a program of the node modules, which are installed first if they
// are missing.
import { spawn } from 'node:child_process';
import { installModules } from './modules.mjs';
import { moduleFile, root, say } from './tools.mjs';

const [name, ...words] = process.argv.slice(2);
const failure = await installModules();
if (failure === undefined) {
  const child = spawn(process.execPath, [moduleFile(`.bin/${name}`), ...words], {
    stdio: 'inherit',
    cwd: root,
  });
  child.on('close', (code) => (process.exitCode = code ?? 1));
} else {
  say(failure);
  process.exitCode = 1;
}
