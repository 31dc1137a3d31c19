import { sslDir, whyNoCertificates } from '../certificates.mjs';
import { columns, moved, share } from '../moved.mjs';

/** One stream over ssl, against a bare `node:tls` pair with the same certificates and cipher. */
export const name = 'ssl';

const targets = { rate: ['≥', 0.85], receiving: ['≤', 1.3] };

const cases = [
  { name: 'bare node:tls, data events', peer: 'tls' },
  { name: 'rx-amanda over ssl, keeping', peer: 'amanda', variant: 'plain', targets },
  { name: 'rx-amanda over ssl, leasing', peer: 'amanda', variant: 'leased', targets },
];

export function groups({ gib }) {
  const size = 32 * 1024;
  const total = share(gib * 2 ** 30, 1, size);
  const missing = whyNoCertificates();
  return [
    {
      title: `ssl, one stream, ${gib} GiB in writes of 32 KiB`,
      columns: [
        ...columns.slice(0, 3),
        { key: 'receiverIdle', label: 'receiver idle' },
        { key: 'senderIdle', label: 'sender idle' },
      ],
      cases: cases.map((one) => ({
        ...one,
        missing,
        run: () => moved(one, { total, size, sslDir: sslDir() }),
      })),
    },
  ];
}
