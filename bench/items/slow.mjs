import { end, message, peer } from '../processes.mjs';

/** A reader that is slower than the sender. */
export const name = 'slow';

export function groups({ gib }) {
  return [
    {
      title: `${gib} GiB on DATA and a 64th of that on MESG, every byte of DATA checked`,
      columns: [
        { key: 'rate', label: 'MB/s', digits: 0 },
        { key: 'receiverRss', label: 'peak RSS MiB receiving', digits: 0 },
        { key: 'senderRss', label: 'sending', digits: 0 },
        { key: 'held', label: 'held KiB at most', digits: 0 },
        { key: 'pauses', label: 'pauses', digits: 0 },
        { key: 'quick', label: 'MESG over after s', digits: 2 },
      ],
      note: 'MESG is read at once. It waits while DATA holds the receive budget: streams have no windows.',
      cases: [
        { name: 'as fast as it comes', run: () => run(0, gib) },
        { name: 'at 50 MB/s', run: () => run(50e6, gib) },
      ],
      rounds: 1,
    },
  ];
}

async function run(rate, gib) {
  const total = Math.round((gib * 2 ** 30) / 2 ** 22) * 2 ** 22;
  const sender = peer('slow', 'send', rate, total, '-', '-');
  const { port } = await message(sender, 'port');
  const receiver = peer('slow', 'receive', rate, total, '-', '-', port);
  const [got, sent] = await Promise.all([message(receiver, 'result'), message(sender, 'result')]);
  await Promise.all([end(receiver), end(sender)]);
  if (got.bytes !== total) throw new Error(`${got.bytes} of ${total} bytes came`);
  return {
    rate: total / got.seconds / 1e6,
    receiverRss: got.rss / 2 ** 20,
    senderRss: sent.rss / 2 ** 20,
    held: got.held / 1024,
    pauses: got.pauses,
    quick: got.quickEnd,
  };
}
