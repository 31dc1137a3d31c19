/**
 * Inputs that have broken a decoder once, by the decoder's name: each stays, so that it stays
 * mended.
 */
export const kept: readonly { readonly name: string; readonly base64: string }[] = [
  // A list of nothing would be no test: a REP that announces a stream twice, and a header of a
  // frame that promises 2 GiB.
  { name: 'reply', base64: Buffer.from('CONNECT DATA 1 DATA 1\n').toString('base64') },
  { name: 'frames', base64: Buffer.from('7fffffff00000001', 'hex').toString('base64') },
];
