#!/usr/bin/env node
// Stands in for the amandad that local, ssh or rsh starts with -auth=NAME: serves the compliance
// suite's services on standard input and output.
import { listenStdio, serve } from '../../dist/index.js';
import { complianceServices } from '../../dist/testing/index.js';

const auth = process.argv[2]?.replace('-auth=', '');
serve(listenStdio({ auth }), complianceServices).subscribe();
