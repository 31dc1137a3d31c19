/** Every kind of finding. Each is a heading of docs/doctor.md. */
export const findingKinds = [
  'check-broken',
  // names
  'unknown-host',
  'name-server-silent',
  'localhost-trap',
  'own-name-astray',
  'target-name-astray',
  // privileges
  'no-reserved-port',
  'reserved-ports-busy',
  'wrong-user',
  // reachability
  'tcp-refused',
  'tcp-dropped',
  'tcp-unreachable',
  'address-dropped',
  'tcp-reset',
  'tcp-closed',
  'udp-refused',
  'udp-silent',
  'program-missing',
  'not-this-host',
  // identity
  'other-auth',
  'other-service',
  'not-amanda',
  'silent-peer',
  // tls
  'own-certificate',
  'key-unsafe',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-expiring',
  'certificate-weak',
  'tls-old',
  'certificate-name',
  'certificate-fingerprint',
  'certificate-refused',
  // ssh
  'ssh-host-key',
  'ssh-key-refused',
  'ssh-key-file',
  'ssh-shell',
  'ssh-noisy-login',
  'ssh-failed',
  'amandad-missing',
  // request
  'amandahosts-line',
  'amandahosts-file',
  'service-not-enabled',
  'port-not-secure',
  'reverse-dns',
  'service-failed',
  'request-refused',
  'request-lost',
  // capabilities
  'old-client',
  'slow-answer',
] as const;

/** A kind of finding; the anchor in docs/doctor.md. */
export type FindingKind = (typeof findingKinds)[number];
