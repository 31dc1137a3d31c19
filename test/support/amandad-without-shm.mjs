#!/usr/bin/env node
// Stands in for rx-amandad where dumps are not to go through shared memory: Amanda's services over standard input and output.
import { amandaServices, listenStdio, serve } from '../../dist/index.js';

process.umask(0o077);
serve(listenStdio({ auth: 'local' }), amandaServices({ auth: 'local', shm: 'hide' })).subscribe();
