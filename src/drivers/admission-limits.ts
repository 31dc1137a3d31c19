/**
 * What a peer may cost before a request of it is admitted. The other bounds are options of
 * listeners and of `serve`. Each is listed in docs/security.md with its test.
 */
export const admissionLimits = {
  /** Bytes of a first TLS record; a longer record begins its handshake when so much has arrived. */
  helloBytes: 8_192,
  /** Refusals of one network that are answered without a delay. */
  freeRefusals: 100,
  /** Refusals of one network that are forgotten in a second. */
  forgottenPerSecond: 1,
  /** Refusals of one network that count at most, so that a flood is forgotten some time. */
  countedRefusals: 160,
  /** Milliseconds by which each further refusal is answered later, and the most. */
  delayStep: 25,
  maxDelay: 500,
  /** Delayed refusals of one connection at the same time; further ones are answered at once. */
  delayedRefusals: 16,
  /** Networks whose refusals are counted; those refused longest ago are forgotten. */
  networks: 4_096,
  /** Delayed TLS handshakes of one network at the same time; more are refused. */
  delayedHandshakes: 64,
} as const;
