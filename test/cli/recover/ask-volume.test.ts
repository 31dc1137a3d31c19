import { PassThrough } from 'node:stream';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { Output } from '../../../src/cli/rx-amanda/output.js';
import { askVolume } from '../../../src/cli/rx-amanda/recover/ask-volume.js';
import { fakeEnvironment } from '../fake-environment.js';

function terminal() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const fake = fakeEnvironment();
  const environment = { ...fake.environment, stdin };
  const asked = askVolume(environment, new Output(environment, {}));
  if (asked === undefined) throw new Error('It does not ask on a terminal.');
  return { stdin, err: fake.err, asked };
}

it('asks for a volume on a terminal, and goes on at Enter', async () => {
  const { stdin, err, asked } = terminal();
  const done = lastValueFrom(asked('lab-2\u009b'), { defaultValue: 'loaded' });
  expect(err()).toContain(
    'Load the volume lab-2\\x9b into a drive of the server, then press Enter.',
  );
  stdin.write('x\n');
  expect(await done).toBe('loaded');
});

it('fails when standard input ends', async () => {
  const { stdin, asked } = terminal();
  const done = firstValueFrom(asked('lab-2'));
  stdin.end();
  await expect(done).rejects.toMatchObject({ code: 'INCOMPLETE_DUMP' });
});

it('asks nothing without a terminal', () => {
  const { environment } = fakeEnvironment();
  expect(askVolume(environment, new Output(environment, {}))).toBeUndefined();
});
