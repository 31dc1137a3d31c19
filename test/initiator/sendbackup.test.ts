import { describe, expect, test } from 'vitest';
import { take } from 'rxjs';
import { dump } from '../../src/initiator/dump.js';
import { retryAdvice } from '../../src/initiator/retry.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { reply, type Service } from '../../src/exchange/service.js';
import { answering, call, dumping, failure, says, streams, through } from './fake-target.js';

const dle = { program: 'GNUTAR', disk: '/home' } as const;
const whole = 'ffffffff9efefbfffffffffffffff3fffbf71f';

describe('sendbackup', () => {
  test('refuses a reply without DATA or without MESG', async () => {
    const { DATA, MESG } = streams();
    expect(
      await failure({ sendbackup: answering(reply({ streams: { MESG } })) }, sendbackup({ dle })),
    ).toMatchObject({ code: 'BAD_REPLY' });
    expect(
      await failure({ sendbackup: answering(reply({ streams: { DATA } })) }, sendbackup({ dle })),
    ).toMatchObject({ code: 'BAD_REPLY' });
    expect(
      await failure({ sendbackup: dumping({ DATA: undefined }) }, sendbackup({ dle })),
    ).toMatchObject({ code: 'BAD_REPLY' });
    expect(
      await failure(
        { sendbackup: answering(reply({ lines: ['JUNK'], streams: { DATA, MESG } })) },
        sendbackup({ dle }),
      ),
    ).toMatchObject({
      code: 'BAD_REPLY',
    });
  });

  test('fails with the words of an ERROR line', async () => {
    const failed = await failure(
      { sendbackup: answering(reply({ lines: ['ERROR no such disk'] })) },
      sendbackup({ dle }),
    );
    expect(failed.code).toBe('SERVICE_FAILED');
    expect(failed.message).toContain('no such disk');
  });

  test('hands on when to ask again', async () => {
    const service = answering(reply({ lines: ['RETRY delay 2 level 0 message "busy"'] }));
    const error: unknown = await call({ sendbackup: service }, sendbackup({ dle })).catch(
      (reason: unknown) => reason,
    );
    expect(retryAdvice(error)).toEqual({ delay: 2, level: 0, message: 'busy' });
  });

  test('asks for a full dump unless told otherwise, and for one level only', () => {
    expect(() => sendbackup({ dle: { ...dle, levels: [] } })).toThrow(/one level/);
    expect(() => sendbackup({ dle: { ...dle, levels: [{ level: 0 }, { level: 1 }] } })).toThrow(
      /one level/,
    );
  });
});

describe('dump', () => {
  const heard: string[] = [];
  const hearing: Service = (request) => {
    heard.push(Buffer.from(request.arguments).toString());
    return [reply({ streams: { DATA: says('x'), MESG: says('') } })];
  };
  const asking = through(
    dump({ dle, options: { config: 'daily', hostname: 'client', timestamp: '20260101000000' } }),
    take(1),
  );

  test('leaves out of the request what the target does not know', async () => {
    heard.length = 0;
    await call(
      { noop: answering(reply({ lines: [`OPTIONS features=${whole};`] })), sendbackup: hearing },
      asking,
    );
    // Bits 80 (the XML request) and 35 (hostname), but not 78 (config) nor 148 (timestamp): numbers
    // of the bits as in PROTOCOL.md.
    const few = '00000000080000000000010000';
    await call(
      { noop: answering(reply({ lines: [`OPTIONS features=${few};`] })), sendbackup: hearing },
      asking,
    );
    expect(heard.map((text) => text.split('\n')[0])).toEqual([
      `OPTIONS features=${whole};hostname=client;config=daily;timestamp=20260101000000;`,
      `OPTIONS features=${whole};hostname=client;`,
    ]);
    expect(heard[0]?.slice(heard[0].indexOf('\n') + 1)).toBe(
      '<dle>\n  <program>GNUTAR</program>\n  <disk>/home</disk>\n  <level>0</level>\n</dle>\n',
    );
  });

  test('does not ask a target that cannot read the request', async () => {
    const failed = await failure(
      { noop: answering(reply({ lines: ['OPTIONS features=ffffffff;'] })), sendbackup: hearing },
      asking,
    );
    expect(failed.code).toBe('SERVICE_FAILED');
    expect(failed.message).toMatch(/before 2\.6/);
  });
});
