import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, of } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  authorize,
  readSecurity,
  type AccessPolicy,
  type AccessRequest,
} from '../../src/access/authorize.js';
import { encodeText } from '../../src/wire/text.js';
import type { Verdict } from '../../src/access/verdict.js';

const uid = process.getuid?.() ?? 0;
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'authorize-'));
  await writeFile(join(home, '.amandahosts'), 'db1.lab backup amdump\n', { mode: 0o600 });
});
afterAll(() => rm(home, { recursive: true }));

const good: AccessRequest = {
  user: 'backup',
  service: 'noop',
  peer: { host: 'db1.lab', address: '10.0.0.1', port: 1023 },
};

function ask(request: Partial<AccessRequest>, policy: AccessPolicy = {}): Promise<Verdict> {
  return firstValueFrom(
    authorize({ localUser: { name: 'backup', uid, home }, ...policy })({ ...good, ...request }),
  );
}

async function reason(request: Partial<AccessRequest>, policy: AccessPolicy = {}): Promise<string> {
  const verdict = await ask(request, policy);
  return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
}

const highPort = { ...good.peer, port: 4000 };

describe('authorize', () => {
  test('allows what the file allows', async () => {
    expect(await ask({})).toEqual({ kind: 'allowed' });
  });

  test('refuses with user, host, service and the file’s reason', async () => {
    expect(await reason({ user: 'mallory' })).toBe(
      `user mallory from db1.lab is not allowed to execute the service noop: Please add the line "db1.lab mallory amdump" to ${home}/.amandahosts on the client`,
    );
    expect(await reason({ service: 'amindexd' })).toBe(
      `user backup from db1.lab is not allowed to execute the service amindexd: Please add the line "db1.lab backup amindexd amidxtaped" to ${home}/.amandahosts on the server`,
    );
    expect(await reason({ service: 'nosuch' })).toBe(
      `user backup from db1.lab is not allowed to execute the service nosuch: ${home}/.amandahosts: invalid service nosuch`,
    );
    expect(await reason({}, { file: '/nonexistent/hosts' })).toBe(
      'user backup from db1.lab is not allowed to execute the service noop: cannot open /nonexistent/hosts: No such file or directory',
    );
  });

  test('looks at the port first, then at the SERVICE line, the SECURITY line, its words, and the file', async () => {
    const ours = { file: '/nonexistent/hosts' };
    const head = (text: string) => readSecurity(encodeText(text));
    expect(await reason({ peer: highPort, ...head('') }, ours)).toBe(
      'host db1.lab: port 4000 not secure',
    );
    expect(await reason(head('OPTIONS ;\n'), ours)).toBe('packet as no SERVICE line');
    expect(await reason(head('SERVICE noop\n'), ours)).toBe('no bsd SECURITY for P_REQ');
    expect(await reason(head('SECURITY HOST x\nSERVICE noop\n'), ours)).toBe(
      'REQ SECURITY line parse error, expecting USER, got HOST',
    );
  });

  test('does not look at the port where the driver does not ask for it', async () => {
    expect(await reason({ peer: highPort }, { reservedPort: false })).toBe('allowed');
  });

  test('finds and checks the name of a peer that has none yet', async () => {
    const resolver = {
      nameOf: () => of('db1.lab'),
      canonicalOf: () => of('db1.lab'),
      addressesOf: () => of(['10.0.0.1']),
    };
    expect(
      await reason({ peer: { address: '::ffff:10.0.0.1', port: 1023 } }, { names: { resolver } }),
    ).toBe('allowed');
    expect(
      await reason({ peer: { address: '10.0.0.2', port: 4000 } }, { names: { resolver } }),
    ).toBe("db1.lab doesn't resolve to 10.0.0.2:4000");
    expect(await reason({ peer: {} })).toBe('the peer has neither a name nor an address');
  });

  test('takes the name of a peer as checked, with or without an address', async () => {
    const { host, port } = good.peer;
    expect(await reason({ peer: { host, port } })).toBe('allowed');
    const rules = { rules: 'localhost backup noop' };
    expect(await reason({ peer: { host, port } }, rules)).toContain('is not allowed');
    expect(await reason({ peer: { host, port, address: '::ffff:127.0.0.1' } }, rules)).toBe(
      'allowed',
    );
  });

  test('goes by rules that the program keeps itself, without a file', async () => {
    expect(await reason({}, { rules: 'db1.lab backup noop' })).toBe('allowed');
    expect(await reason({}, { rules: 'db2.lab', file: 'the rules' })).toMatch(
      /: Please add the line "db1.lab backup amdump" to the rules on the client$/,
    );
  });

  test('reads the file anew for each request', async () => {
    const check = authorize({
      localUser: { name: 'backup', uid, home },
      file: join(home, 'other'),
    });
    await writeFile(join(home, 'other'), '', { mode: 0o600 });
    expect((await firstValueFrom(check(good))).kind).toBe('refused');
    await writeFile(join(home, 'other'), 'db1.lab\n');
    expect((await firstValueFrom(check(good))).kind).toBe('allowed');
  });

  test('tells the peer its own words raw, and a log the same escaped', async () => {
    const verdict = await ask({ user: 'a\u001b[2Jb' });
    expect(verdict).toMatchObject({
      reason: expect.stringContaining('user a\u001b[2Jb from') as string,
      shown: expect.stringContaining('user a\\x1b[2Jb from') as string,
    });
  });

  test('does not send a giant name back', async () => {
    expect(await reason({ user: 'x'.repeat(4097) })).toBe(
      'a user name of 4097 characters is not allowed',
    );
    expect(await reason({ service: 'x'.repeat(4097) })).toBe(
      'a service name of 4097 characters is not allowed',
    );
    const longest = 'x'.repeat(4096);
    expect(await reason({ user: longest, service: longest })).toContain(`service ${longest}: `);
  });

  test('goes by the user of this process by default', async () => {
    expect(await reason({}, { file: join(home, '.amandahosts') })).toBe('allowed');
    expect((await firstValueFrom(authorize({ file: '/nonexistent/hosts' })(good))).kind).toBe(
      'refused',
    );
  });
});

describe('readSecurity', () => {
  const read = (head: string): unknown => {
    const { user, service } = readSecurity(encodeText(head));
    return typeof user === 'string' ? [user, service] : user.reason;
  };

  test('gives all that follows the blank after USER, and the whole SERVICE line', () => {
    expect(read('SECURITY USER backup\nSERVICE noop\nOPTIONS ;\n')).toEqual(['backup', 'noop']);
    expect(read('SECURITY   USER backup \nSERVICE noop OPTIONS x\n')).toEqual([
      'backup ',
      'noop OPTIONS x',
    ]);
  });

  test('leaves a refusal where the head cannot be read', () => {
    expect(read('SECURITY USER \nSERVICE noop\n')).toBe('SECURITY line: SECURITY USER ');
    expect(read('SECURITY TICKET x\nSERVICE noop\n')).toBe(
      'REQ SECURITY line parse error, expecting USER, got TICKET',
    );
    expect(read('SECURITY USER backup\n')).toBe('packet as no SERVICE line');
    const body = encodeText('SECURITY USER backup\n');
    expect(readSecurity(body)).toMatchObject({ service: '', rest: body });
  });
});
