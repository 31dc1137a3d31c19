import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, from, lastValueFrom, mergeMap, toArray, type Observable } from 'rxjs';
import { afterAll } from 'vitest';
import type { Stream } from '../../src/connection/stream.js';
import { connect } from '../../src/initiator/connect.js';
import { memory } from '../../src/drivers/memory.js';
import { request, type Reply, type ServiceRequest } from '../../src/exchange/request.js';
import type { IncomingRequest, Service } from '../../src/exchange/service.js';
import { serve } from '../../src/target/serve.js';
import { encodeText, decodeText } from '../../src/wire/text.js';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A folder that is removed after the tests of the file. */
export async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'rx-amanda-test-'));
  folders.push(made);
  return made;
}

/** A service executable: a bash script of these lines. */
export async function script(...lines: readonly string[]): Promise<string> {
  const file = join(await folder(), 'service');
  await writeFile(file, ['#!/bin/bash', ...lines, ''].join('\n'), { mode: 0o755 });
  return file;
}

/** Asks a service over the memory driver; resolves with what `use` makes of its last reply. */
export function ask<T>(
  service: Service,
  asked: ServiceRequest,
  use: (reply: Reply) => Promise<T>,
): Promise<T> {
  return session(service, asked, (replies) => lastValueFrom(replies.pipe(mergeMap(use))));
}

/** Asks a service, and leaves as soon as there is a reply. */
export function askAndLeave(service: Service, asked: ServiceRequest): Promise<Reply> {
  return session(service, asked, (replies) => firstValueFrom(replies));
}

/** Asks a service, and holds the connection until `use` has what it wants of the replies. */
export function session<T>(
  service: Service,
  asked: ServiceRequest,
  use: (replies: Observable<Reply>) => Promise<T>,
): Promise<T> {
  const { driver, listener } = memory();
  const target = serve(listener, { [asked.service]: service }).subscribe();
  return use(connect(driver).pipe(request(asked))).finally(() => {
    target.unsubscribe();
  });
}

/** The text of a reply without streams. */
export function replyText(service: Service, asked: ServiceRequest): Promise<string> {
  return ask(service, asked, async ({ text }) => text);
}

/** Everything that arrives on a stream of a reply. */
export async function contents(stream: Stream | undefined): Promise<Buffer> {
  if (stream === undefined) throw new Error('there is no such stream');
  return Buffer.concat(await firstValueFrom(from(stream).pipe(toArray())));
}

export async function text(stream: Stream | undefined): Promise<string> {
  return decodeText(await contents(stream));
}

/** A request as it reaches a service. */
export function incoming(
  service: string,
  args = '',
  peer: IncomingRequest['peer'] = { driver: 'bsdtcp', host: 'server.example' },
): IncomingRequest {
  return { service, arguments: encodeText(args), user: undefined, peer, handle: 1 };
}

/** Whether a process exists, as a zombie or alive. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The child processes of this one, zombies or alive. */
export async function children(): Promise<string[]> {
  const threads = await readdir('/proc/self/task');
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists
    .join(' ')
    .split(' ')
    .filter((pid) => pid !== '');
}
