import type { Scope } from './settings.js';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const debugging = words(`
  debug-amandad debug-amidxtaped debug-amindexd debug-amrecover debug-auth debug-chunker debug-days
  debug-driver debug-dumper debug-event debug-holding debug-planner debug-protocol debug-recovery
  debug-selfcheck debug-sendbackup debug-sendsize debug-taper`);
const inBothFiles = words(`
  connect-tries ctimeout define includefile krb5keytab krb5principal mailer property rep-tries
  req-tries reserved-tcp-port reserved-udp-port ssl-dir tapedev unreserved-tcp-port`);
const perTarget = words(`
  amandad-path application auth client-port client-username property script ssh-keys
  ssl-ca-cert-file ssl-cert-file ssl-check-certificate-host ssl-check-fingerprint ssl-check-host
  ssl-cipher-list ssl-fingerprint-file ssl-key-file`);

/** The keywords that Amanda 3.5.1 takes in each part of a configuration. */
const keywords: Readonly<Record<Scope, ReadonlySet<string>>> = {
  client: new Set([
    ...debugging,
    ...inBothFiles,
    ...perTarget,
    ...words('amandates amdump-server conf gnutar-list-dir hostname index-server tape-server'),
  ]),
  server: new Set([
    ...debugging,
    ...inBothFiles,
    ...words(`
      active-storage amrecover-changer amrecover-check-label amrecover-do-fsf autoflush autolabel
      bumpdays bumpmult bumppercent bumpsize changerdev changerfile columnspec command-file
      compress-index device-output-buffer-size device-property diskfile displayunit dtimeout
      dumpcycle dumporder dumpuser eject-volume etimeout flush-threshold-dumped
      flush-threshold-scheduled holdingdisk indexdir infofile inparallel interactivity
      label-new-tapes labelstr logdir mailto max-dle-by-volume maxdumps maxdumpsize meta-autolabel
      netusage org printer recovery-limit report-format report-next-media report-use-media reserve
      rest-api-port rest-ssl-cert rest-ssl-key runspercycle runtapes send-amreport-on sort-index
      storage tapecycle tapelist taper-parallel-write taperalgo taperflush taperscan tapetype
      tmpdir tpchanger usetimestamps vault-storage`),
  ]),
  dumptype: new Set([
    ...perTarget,
    ...words(`
      allow-split bumpdays bumpmult bumppercent bumpsize client-custom-compress
      client-decrypt-option client-encrypt comment comprate compress data-path dump-limit dumpcycle
      encrypt estimate exclude fallback-splitsize holdingdisk ignore include index kencrypt
      max-warnings maxdumps maxpromoteday priority program record recovery-limit retry-dump
      server-custom-compress server-decrypt-option server-encrypt skip-full skip-incr
      split-diskbuffer starttime strategy tag tape-splitsize`),
  ]),
};

/** Whether Amanda takes a folded keyword in this part; undefined when it knows none such at all. */
export function takesKeyword(word: string, scope: Scope): boolean | undefined {
  if (keywords[scope].has(word)) return true;
  return Object.values(keywords).some((known) => known.has(word)) ? false : undefined;
}

/** The keywords of a part. */
export function keywordsOf(scope: Scope): Iterable<string> {
  return keywords[scope];
}
