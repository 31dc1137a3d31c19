import { TestScheduler } from 'rxjs/testing';
import { firstValueFrom, of, timer, map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { namePeer, rememberPeers } from '../../src/access/named-peers.js';
import type { NamedPeer } from '../../src/access/peer.js';
import { refused, type Refused } from '../../src/access/verdict.js';

/** Names everybody after the time, and notes who was asked for. */
function clerk(answer: (address: string) => NamedPeer | Refused = named): {
  asked: string[];
  name: (peer: { address: string }) => Observable<NamedPeer | Refused>;
} {
  const asked: string[] = [];
  return {
    asked,
    name: ({ address }) => {
      asked.push(address);
      return of(answer(address));
    },
  };
}

function named(address: string): NamedPeer {
  return { kind: 'named', host: `host-${address}`, address };
}

function virtually(run: () => void): void {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  }).run(run);
}

function at(milliseconds: number, act: () => void): void {
  timer(milliseconds).pipe(map(act)).subscribe();
}

describe('rememberPeers', () => {
  it('names a peer once within its time, and anew after it', () => {
    const { asked, name } = clerk();
    virtually(() => {
      const names = rememberPeers(name, { within: 100 });
      for (const time of [0, 99, 100]) at(time, () => names({ address: '10.0.0.1' }).subscribe());
    });
    expect(asked).toEqual(['10.0.0.1', '10.0.0.1']);
  });

  it('gives what it remembers at once', () => {
    const names = rememberPeers(clerk().name);
    const found: (NamedPeer | Refused)[] = [];
    for (let time = 0; time < 2; time += 1)
      names({ address: '10.0.0.1', port: time }).subscribe((peer) => found.push(peer));
    expect(found).toEqual([named('10.0.0.1'), named('10.0.0.1')]);
  });

  it('asks again for a peer that was refused', () => {
    const { asked, name } = clerk(() => refused('no such name'));
    const names = rememberPeers(name);
    for (let time = 0; time < 2; time += 1) names({ address: '10.0.0.1' }).subscribe();
    expect(asked).toHaveLength(2);
  });

  it('keeps only so many names, the newest', () => {
    const { asked, name } = clerk();
    const names = rememberPeers(name, { most: 2 });
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.3', '10.0.0.1'])
      names({ address }).subscribe();
    expect(asked).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.1']);
  });
});

it('names peers by the names of the system', async () => {
  expect(await firstValueFrom(namePeer({ address: '127.0.0.1' }))).toMatchObject({
    kind: 'named',
    address: '127.0.0.1',
  });
});
