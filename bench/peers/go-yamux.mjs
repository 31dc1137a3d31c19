/**
 * Go's hashicorp/yamux: `go-yamux.mjs send|receive - TOTAL SIZE STREAMS [PORT]`.
 * Compiles and starts go-yamux.go and passes its messages on.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GO, SOURCES } from '../go-yamux.mjs';

const [role, , ...words] = process.argv.slice(2);
const source = fileURLToPath(new URL('go-yamux.go', import.meta.url));
// It exits with this process, because its standard input ends then.
const child = spawn(GO, ['run', source, role, ...words], {
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, GO111MODULE: 'off', GOPATH: SOURCES },
});
createInterface({ input: child.stdout }).on('line', (line) => process.send(JSON.parse(line)));
process.on('message', (said) => child.stdin.write(`${said}\n`));
child.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
