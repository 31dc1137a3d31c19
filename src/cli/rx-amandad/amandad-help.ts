/** The text of `rx-amandad --help`. A start for a connection does not load it. */
export const help = `Usage: rx-amandad [OPTION…] [SERVICE…]

A target of the Amanda backup system: does what amandad does.

inetd, xinetd or an initiator starts it with the connection on standard input
and output. With "wait", inetd starts it with the socket that listens. systemd
hands it a socket (LISTEN_FDS). With -tcp or -udp it listens by itself.

As amandad has them:
  -auth=NAME        bsdtcp (default), ssl, local, ssh or rsh; for servers that
                    have none of these bsdudp or bsd
  -tcp=PORT         listen on this port and serve one connection
  -udp=PORT         the same for bsdudp and bsd; from inetd these need "wait"
  -no-exit          with -tcp, -udp or inetd's "wait" serve any number of
                    connections for any time; else keep a connection on which
                    nothing runs
  --version         the version of this program
  SERVICE…          the services that may be asked for; amdump stands for noop,
                    sendsize, sendbackup and selfcheck. Default: those,
                    senddiscover and restore; with -auth=local, ssh and
                    rsh all

Ours:
  -listen=ADDRESS   with -tcp or -udp, listen on this address only; default all
  -ssl-dir=DIR      with -auth=ssl, holds CA/crt.pem, me/crt.pem and
                    me/private/key.pem; default /etc/amanda/ssl
  -insist-on-safe-key   refuse a private key that others can read; by default
                    that is a warning in the log
  -ssl-strict       with -auth=ssl, make every check of an initiator's
                    certificate; its fingerprint must be on file
  -amandahosts=FILE who may ask for what, a file of the user that this runs as;
                    default .amandahosts in that user's home
  -libexec=DIR      where services are executables; default /usr/lib/amanda
  -own              our own noop and sendbackup (GNU tar) instead of the
                    executables; also -services=own, opposite -services=amanda
  -lists=DIR        with -own, where dumps leave what later levels build on;
                    without it only level 0 is possible
  -no-shm           with -auth=local, have dumps come over the connection
                    instead of shared memory, which needs room in /dev/shm
  -user=NAME        started as root, become this user once it listens; default
                    amandabackup or else backup; root stays root
  -keep-capabilities    run with the capabilities that it was started with
                    (AmbientCapabilities= of systemd); by default it then does
                    not start
  -linger=SECONDS   for bsdtcp and ssl, started by inetd with "wait": end when
                    there has been no connection for so long; default 300
  -grace=SECONDS    how long what runs may go on after SIGTERM or SIGINT;
                    default 30; a second signal ends it at once
  -log=FILE         a line for each request goes there, opened anew on SIGHUP.
                    Default with -tcp, -udp, -debug and from systemd: standard
                    error, unless it is the connection. Else no log
  -debug            the log has every packet, and the size of all else

As amanda-client.conf has them, which is read as by amandad; these count first:
  -ssl-cert-file=FILE  -ssl-key-file=FILE  -ssl-ca-cert-file=FILE
  -ssl-fingerprint-file=FILE  -ssl-cipher-list=LIST
  -ssl-check-host=no  -ssl-check-certificate-host=no  -ssl-check-fingerprint=no
                    with -auth=ssl
  -unreserved-tcp-port=FIRST,LAST
                    with -auth=bsdudp or bsd, the TCP ports of streams
  -no-config        do not read /etc/amanda/amanda-client.conf

Limits:
  -max-connections=N      at once; default 1024
  -max-handles=N          open on one connection; default 1024
  -max-requests=N         at once on one connection; default 16
  -receive-budget=BYTES   kept of one connection until services read it;
                          default 1048576
  -rep-tries=N            times that a reply is sent, every 10 s, until it is
                          acknowledged; default that of the configuration, else
                          5
  -idle=SECONDS           for which a connection is kept on which nothing runs;
                          default 30

  --help            this text

Access is decided as in Amanda, by
  bsdtcp, bsdudp, bsd   the initiator's source port and name, and .amandahosts
  ssl                   its certificate: the common name is the host in
                        .amandahosts
  local, ssh, rsh       nothing more: every initiator is admitted

Exit code:
  0         it is done, or was asked to end
  1         it cannot listen or write its log
  2         wrong usage
  130, 143  it was asked to end twice
`;
