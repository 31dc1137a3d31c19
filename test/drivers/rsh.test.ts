import { fileURLToPath } from 'node:url';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { connect } from '../../src/initiator/connect.js';
import { rsh, type RshOptions } from '../../src/drivers/rsh.js';
import { request, type Reply } from '../../src/exchange/request.js';

const command = fileURLToPath(new URL('../support/stand-in-rsh.sh', import.meta.url));
const rxAmandad = fileURLToPath(new URL('../../dist/bin/rx-amandad.cjs', import.meta.url));

function ask(options: Partial<RshOptions>): Promise<Reply> {
  return lastValueFrom(connect(rsh({ host: 'db1', command, ...options })).pipe(request('noop')));
}

describe('rsh', () => {
  test('reaches rx-amandad', async () => {
    const { text } = await ask({ amandadPath: `'${process.execPath}' '${rxAmandad}' -own` });
    expect(text).toMatch(/^OPTIONS features=/);
  });

  test('is started as Amanda starts it', async () => {
    await expect(ask({ command: 'echo', clientUsername: 'amanda' })).rejects.toMatchObject({
      code: 'TEXT_IN_CHANNEL',
      message: expect.stringContaining(
        '"-l amanda db1 /usr/lib/amanda/amandad -auth=rsh\\n"',
      ) as string,
    });
  });

  test('says that amandad is missing', async () => {
    await expect(ask({ amandadPath: '/nonexistent/amandad' })).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(
        / to db1 ended with exit code 127, saying: .* There is no \/nonexistent\/amandad on db1: /,
      ) as string,
    });
  });

  test('says that there is no rsh', async () => {
    await expect(ask({ command: '/nonexistent/rsh' })).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringMatching(/Is it installed/) as string,
    });
  });

  test.each([{ host: '-x' }, { clientUsername: '-x' }, { amandadPath: '-x' }])(
    'refuses %j',
    (options) => {
      expect(() => rsh({ host: 'db1', ...options })).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT' }),
      );
    },
  );
});
