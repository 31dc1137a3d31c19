import { driverFor } from '../../src/cli/rx-amanda/driver-for.js';
import { main } from '../../src/cli/rx-amanda/main.js';
import { fakeEnvironment, type FakeOptions } from '../cli/fake-environment.js';
import type { Configuration } from './amanda-config.js';
import { type Lab, programs } from './real-amanda.js';

/** What a command of rx-amanda printed, and its exit code. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `rx-amanda recover` in this process against the real programs, over `words` of options. */
export async function runRecover(
  words: readonly string[],
  options: FakeOptions = {},
): Promise<CommandResult> {
  const { environment, out, err } = fakeEnvironment(options);
  const code = await main(['recover', ...words], { ...environment, driver: driverFor });
  return { code, out: out(), err: err() };
}

/** Dumps all disks of a configuration once more, with the real programs. */
export async function dumpAgain(
  lab: Lab,
  { name }: Configuration,
  level: 0 | 'incremental' = 0,
): Promise<void> {
  if (level !== 0) await lab.asBackup(programs.amadmin, [name, 'force-bump', 'localhost']);
  const { code, stdout, stderr } = await lab.asBackup(programs.amdump, [name], {
    timeout: 100_000,
  });
  if (code !== 0)
    throw new Error(`amdump ended with ${code}: ${stdout}${stderr}${lab.sandbox.logs()}`);
}
