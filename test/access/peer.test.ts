import { EMPTY, firstValueFrom, NEVER, of, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, test } from 'vitest';
import { checkPeerName, plainAddress } from '../../src/access/peer.js';
import type { NameResolver } from '../../src/access/resolver.js';

function resolver(parts: {
  name?: string | undefined;
  addresses?: readonly string[];
  canonical?: string | undefined;
}): NameResolver {
  return {
    nameOf: () => of(parts.name),
    addressesOf: () => of(parts.addresses ?? []),
    canonicalOf: () => of(parts.canonical),
  };
}

function failing(code: string): NameResolver {
  return {
    ...resolver({ name: 'one.lab' }),
    addressesOf: () => throwError(() => Object.assign(new Error('getaddrinfo'), { code })),
  };
}

async function check(names: NameResolver, address = '10.0.0.1'): Promise<string> {
  const verdict = await firstValueFrom(checkPeerName({ address, port: 1023 }, { resolver: names }));
  return verdict.kind === 'named' ? `${verdict.host} ${verdict.address}` : verdict.reason;
}

describe('a peer’s name', () => {
  test('that leads back to the address is the peer’s host', async () => {
    expect(
      await check(
        resolver({ name: 'one.lab', canonical: 'ONE.lab', addresses: ['10.0.0.9', '10.0.0.1'] }),
      ),
    ).toBe('one.lab 10.0.0.1');
  });

  test('may be the beginning of the canonical one', async () => {
    expect(
      await check(resolver({ name: 'one', canonical: 'one.lab', addresses: ['10.0.0.1'] })),
    ).toBe('one 10.0.0.1');
    expect(
      await check(resolver({ name: 'one.lab', canonical: 'one', addresses: ['10.0.0.1'] })),
    ).toBe("one.lab doesn't resolve to itself, it resolves to one");
  });

  test('that is an alias is refused', async () => {
    expect(
      await check(resolver({ name: 'one.lab', canonical: 'two.lab', addresses: ['10.0.0.1'] })),
    ).toBe("one.lab doesn't resolve to itself, it resolves to two.lab");
  });

  test('that leads elsewhere is refused', async () => {
    expect(
      await check(resolver({ name: 'one.lab', canonical: 'one.lab', addresses: ['10.0.0.2'] })),
    ).toBe("one.lab doesn't resolve to 10.0.0.1:1023");
  });

  test('is the numeric address where there is none', async () => {
    expect(await check(resolver({ canonical: '10.0.0.1', addresses: ['10.0.0.1'] }))).toBe(
      '10.0.0.1 10.0.0.1',
    );
  });

  test('is compared by address, not by its spelling', async () => {
    const names = resolver({
      name: 'six.lab',
      canonical: 'six.lab',
      addresses: ['fe80::1%eth0', '::ffff:a00:1'],
    });
    expect(await check(names, 'FE80:0::1%lo')).toBe('six.lab fe80::1');
    expect(await check(names, '::ffff:10.0.0.1')).toBe('six.lab 10.0.0.1');
  });

  test('that cannot be resolved is refused in the words of the system', async () => {
    expect(await check(failing('ENOTFOUND'))).toBe(
      "check_name_give_sockaddr: resolve_hostname('one.lab'): Name or service not known",
    );
    expect(await check(failing('EAI_AGAIN'))).toBe(
      "check_name_give_sockaddr: resolve_hostname('one.lab'): Temporary failure in name resolution",
    );
    expect(await check(resolver({ name: 'one.lab', addresses: ['10.0.0.1'] }))).toBe(
      "check_name_give_sockaddr: resolve_hostname('one.lab') did not return a canonical name",
    );
  });

  test('that cannot be asked for is refused', async () => {
    const broken = {
      ...resolver({}),
      nameOf: () => Promise.reject(Object.assign(new Error('x'), { code: 'EAI_AGAIN' })),
    };
    expect(await check(broken)).toBe('getnameinfo failed: Temporary failure in name resolution');
    expect(await check(resolver({}), 'no address')).toBe(
      'getnameinfo failed: no address is no address',
    );
  });

  test('that the resolver gives no answer for is refused', async () => {
    const silent = { ...resolver({ name: 'one.lab' }), canonicalOf: () => EMPTY };
    expect(await check(silent)).toBe(
      "check_name_give_sockaddr: resolve_hostname('one.lab'): The resolver gave no answer for one.lab.",
    );
    expect(await check({ ...silent, nameOf: () => EMPTY })).toBe(
      'getnameinfo failed: The resolver gave no answer for 10.0.0.1.',
    );
  });

  test('is looked up in the family of the address', async () => {
    const families: number[] = [];
    const names: NameResolver = {
      nameOf: () => of('one.lab'),
      addressesOf: (_, family) => {
        families.push(family);
        return of(['10.0.0.1', '::1']);
      },
      canonicalOf: (_, family) => {
        families.push(family);
        return of('one.lab');
      },
    };
    expect(await check(names, '::ffff:10.0.0.1')).toBe('one.lab 10.0.0.1');
    expect(await check(names, '::1')).toBe('one.lab ::1');
    expect(families).toEqual([4, 4, 0, 0]);
  });

  test('that leads elsewhere is refused with port 0 when the port is unknown', async () => {
    const names = resolver({ name: 'one.lab', canonical: 'one.lab', addresses: ['10.0.0.2'] });
    const verdict = checkPeerName({ address: '10.0.0.1' }, { resolver: names });
    expect(await firstValueFrom(verdict)).toMatchObject({
      reason: "one.lab doesn't resolve to 10.0.0.1:0",
    });
  });

  test('that does not come in time is refused, and the question is given up', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
      ({ expectObservable, expectSubscriptions, cold }) => {
        const never = cold('-');
        const reason = 'the name of 10.0.0.1 could not be checked within 30000 ms';
        expectObservable(
          checkPeerName(
            { address: '10.0.0.1' },
            { resolver: { ...resolver({}), nameOf: () => never } },
          ),
        ).toBe('30s (v|)', {
          v: { kind: 'refused', reason, shown: reason },
        });
        expectSubscriptions(never.subscriptions).toBe('^ 29999ms !');
      },
    );
  });

  test('may lack an answer of one question only within the time for all', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
      ({ expectObservable }) => {
        const names = { ...resolver({ name: 'one.lab' }), canonicalOf: () => NEVER };
        const reason = 'the name of 10.0.0.1 could not be checked within 5 ms';
        expectObservable(
          checkPeerName({ address: '10.0.0.1' }, { resolver: names, within: 5 }),
        ).toBe('5ms (v|)', {
          v: { kind: 'refused', reason, shown: reason },
        });
      },
    );
  });
});

test('an address has one spelling, and IPv4 in IPv6 is IPv4', () => {
  expect(
    [
      '127.0.0.1',
      '::FFFF:127.0.0.1',
      '::ffff:7f00:1',
      '0:0::1',
      'fe80::1%eth0',
      '127.1',
      '',
      'db1',
    ].map(plainAddress),
  ).toEqual([
    '127.0.0.1',
    '127.0.0.1',
    '127.0.0.1',
    '::1',
    'fe80::1',
    undefined,
    undefined,
    undefined,
  ]);
});

test('the system’s names lead from 127.0.0.1 back to it', async () => {
  expect(await firstValueFrom(checkPeerName({ address: '127.0.0.1' }))).toMatchObject({
    kind: 'named',
    address: '127.0.0.1',
  });
});
