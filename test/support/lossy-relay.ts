import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/**
 * What becomes of one datagram: each number is a copy of it that arrives so many milliseconds
 * later.
 */
export type Fate = readonly number[];

/** `toTarget` for what an initiator sends; `text` is the datagram's first line. */
export type Fates = (toTarget: boolean, text: string) => Fate;

/** A stretch of network between an initiator and a target. */
export interface Relay {
  /** Where the initiator sends to, on 127.0.0.1. */
  readonly port: number;
  /** First lines of what arrived here, in order. */
  readonly seen: readonly string[];
  close(): void;
}

/** Passes datagrams between one initiator and the target on a port of 127.0.0.1, as fate has it. */
export async function openRelay(targetPort: number, fates: Fates): Promise<Relay> {
  const near = createSocket('udp4');
  const far = createSocket('udp4');
  const seen: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let initiator: RemoteInfo | undefined;

  const pass = (bytes: Buffer, toTarget: boolean, from: Socket, port: number): void => {
    const [line = ''] = bytes.toString('latin1').split('\n', 1);
    seen.push(line);
    for (const late of fates(toTarget, line)) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        from.send(bytes, port, '127.0.0.1');
      }, late);
      timers.add(timer);
    }
  };
  near.on('message', (bytes, from) => {
    initiator = from;
    pass(bytes, true, far, targetPort);
  });
  far.on('message', (bytes) => {
    if (initiator !== undefined) pass(bytes, false, near, initiator.port);
  });
  near.bind(0, '127.0.0.1');
  far.bind(0, '127.0.0.1');
  await Promise.all([once(near, 'listening'), once(far, 'listening')]);
  return {
    port: near.address().port,
    seen,
    close() {
      for (const timer of timers) clearTimeout(timer);
      near.close();
      far.close();
    },
  };
}

/**
 * A network that loses, doubles and delays by a seed. The same seed gives the same fates, in the
 * same order.
 */
export function badNetwork(seed: number): Fates {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 0x100_0000;
  };
  return () => {
    const copies = random() < 0.35 ? 0 : random() < 0.3 ? 2 : 1;
    return Array.from({ length: copies }, () => Math.floor(random() * 12));
  };
}
