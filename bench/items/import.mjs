import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../measure.mjs';

/** How long a new process takes to import the package, against `rxjs` alone. */
export const name = 'import';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function groups({ starts }) {
  return [
    {
      title: `import, each in ${starts} new processes`,
      columns: [
        { key: 'milliseconds', label: 'ms', digits: 1 },
        { key: 'start', label: 'ms of the process', digits: 1 },
        { key: 'rss', label: 'RSS MiB', digits: 1 },
      ],
      cases: [
        { name: "import 'rxjs'", run: () => run('rxjs', starts) },
        {
          name: "import 'rx-amanda'",
          targets: { milliseconds: ['≤', 1.6] },
          run: () => run('rx-amanda', starts),
        },
      ],
    },
  ];
}

/** The package finds itself by its own name, through its `exports`. */
function run(module, starts) {
  const code = `
const from = performance.now();
await import('${module}');
console.log(JSON.stringify({
  milliseconds: performance.now() - from,
  rss: process.memoryUsage.rss() / 2 ** 20,
}));`;
  const runs = Array.from({ length: starts }, () => {
    const from = performance.now();
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: ROOT });
    return { ...JSON.parse(said), start: performance.now() - from };
  });
  const middle = (key) => median(runs.map((one) => one[key]));
  return { milliseconds: middle('milliseconds'), start: middle('start'), rss: middle('rss') };
}
