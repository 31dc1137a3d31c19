import { NEVER, concat, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { TcpmConnection } from '../../src/connection/tcpm-connection.js';
import { AmandaError } from '../../src/wire/errors.js';
import { hex, ScriptedPeer, textBytes } from '../../src/testing/index.js';

function meet(receiveBudget?: number) {
  const peer = new ScriptedPeer();
  const connection = new TcpmConnection(
    peer.channel,
    { side: 'initiator', user: undefined },
    { gather: false, ...(receiveBudget === undefined ? {} : { receiveBudget }) },
  );
  return { peer, connection };
}

describe('a scripted peer', () => {
  test('says payloads on a handle, frames, and bytes', () => {
    const { peer, connection } = meet();
    const seven: string[] = [];
    connection.stream(7).subscribe((chunk) => seven.push(Buffer.from(chunk).toString()));
    peer.send(7, concat(of(textBytes('a')), NEVER));
    peer.sendFrames(concat(of({ handle: 7, payload: textBytes('b') }), NEVER));
    peer.sendBytes(concat(of(hex('00000001 00000007 63')), NEVER));
    expect(seven).toEqual(['a', 'b', 'c']);
  });

  test('hears the frames of each handle, and the end', () => {
    const { peer, connection } = meet();
    const heard: string[] = [];
    peer.received(7).subscribe({
      next: (chunk) => heard.push(Buffer.from(chunk).toString()),
      complete: () => heard.push('end'),
    });
    connection.stream(7).next(textBytes('a'));
    connection.stream(8).next(textBytes('x'));
    connection.close();
    expect(heard).toEqual(['a', 'end']);
  });

  test('ends the channel when a lane completes, and breaks it when one errors', () => {
    const ends: unknown[] = [];
    const ended = meet();
    ended.connection.ended.subscribe({ complete: () => ends.push('in good order') });
    ended.peer.send(7, of(textBytes('a')));
    const broken = meet();
    broken.connection.ended.subscribe({
      error: (error: unknown) => ends.push(error instanceof AmandaError ? error.code : error),
    });
    broken.peer.send(
      7,
      throwError(() => new AmandaError('CONNECTION_LOST', 'the cable')),
    );
    expect(ends).toEqual(['in good order', 'CONNECTION_LOST']);
  });

  test('tells when the connection has stopped reading', () => {
    const { peer, connection } = meet(100);
    const paused: boolean[] = [];
    peer.paused.subscribe((now) => paused.push(now));
    peer.send(7, concat(of(textBytes('a')), NEVER));
    connection.stream(7).discard();
    expect(paused).toEqual([false, true, false]);
  });
});
