import { expect, test } from 'vitest';
import { brokenUnanswered, neverAcknowledged } from '../../src/exchange/unanswered.js';
import { AmandaError } from '../../src/wire/errors.js';

const waiter = (driver: string) => ({ peer: { driver, host: 'db1' }, handle: 3 });
const endOfConnection = new AmandaError('CONNECTION_LOST', 'db1 ended the connection.', {
  peer: 'db1',
});
const lost = (cause: unknown): AmandaError =>
  new AmandaError('CONNECTION_LOST', 'Handle 3 was still open.', { cause, peer: 'db1', handle: 3 });

test.each([
  [
    'bsdtcp',
    /^db1 \(bsdtcp\) did not acknowledge the request, sent 3 times; is this an amandad of the same auth\?$/,
  ],
  ['ssl', /One that refuses our certificate may be silent, too: see its log/],
  ['ssh', /login profile there wait for input.*amandad-path/],
  ['rsh', /login profile/],
  ['local', /amandad-path/],
  ['bsdudp', /firewall let UDP through, both ways/],
  ['bsd', /firewall let UDP through, both ways/],
  ['one of another kind', /same auth/],
])('a request over %s that is not acknowledged says where to look', (driver, message) => {
  expect(neverAcknowledged(waiter(driver), 3)).toMatchObject({
    code: 'ACK_TIMEOUT',
    message: expect.stringMatching(message) as string,
    handle: 3,
  });
});

test('a request that was sent once says so', () => {
  expect(neverAcknowledged(waiter('bsdtcp'), 1).message).toContain('sent once;');
});

test.each([
  ['bsdtcp', /ended the connection before it answered anything; .*only_from.*auth bsdtcp, not ssl/],
  ['ssh', /amandad-path/],
  ['local', /amandad-path/],
])(
  'a peer over %s that closes without a word is an error that says where to look',
  (driver, message) => {
    for (const cause of [endOfConnection, new Error('read ECONNRESET')]) {
      const reason = lost(cause);
      expect(brokenUnanswered(reason, waiter(driver))).toMatchObject({
        code: 'CONNECTION_LOST',
        message: expect.stringMatching(message) as string,
        cause: reason,
        handle: 3,
      });
    }
  },
);

test.each([
  [
    'it has said something',
    lost(
      new AmandaError('CONNECTION_LOST', 'It ended inside a frame.', {
        cause: new AmandaError('TRUNCATED', '3 bytes of a header'),
      }),
    ),
  ],
  ['it is no loss', new AmandaError('TLS_FAILED', 'It does not speak TLS.')],
  ['it is nothing of ours', new Error('a bug')],
])('the reason stays as it is when %s', (_when, reason) => {
  expect(brokenUnanswered(reason, waiter('bsdtcp'))).toBe(reason);
});

test.each(['TEXT_IN_CHANNEL', 'FRAME_TOO_LARGE'] as const)(
  '%s names who sends what no amandad does',
  (code) => {
    const reason = new AmandaError(code, 'There is something else.');
    const message =
      'db1 (bsdtcp) does not speak as an amandad of the same auth does. There is something else.';
    expect(brokenUnanswered(reason, waiter('bsdtcp'))).toMatchObject({
      code,
      message,
      cause: reason,
      handle: 3,
    });
  },
);

test('ssl explains its losses itself', () => {
  expect(brokenUnanswered(lost(endOfConnection), waiter('ssl'))).toMatchObject({
    message: 'Handle 3 was still open.',
  });
});
