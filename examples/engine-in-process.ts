// The engine inside this program: no daemon, no socket. As root: node engine-in-process.ts ROOT [IMAGE.tar]
import { connect } from '@fairlead/client';
import { Engine } from '@fairlead/engine';
import { createReadStream } from 'node:fs';

const [root = '/var/lib/fairlead-example', image] = process.argv.slice(2);
await using engine = await Engine.open({ root, logLevel: 'error' });
await using docker = await connect({ engine });

if (image !== undefined) await docker.images.load(createReadStream(image));
const { stdout, exitCode } = await docker.run('busybox', ['echo', 'hello from inside'], { autoRemove: true });
console.log(`${stdout.toString().trim()}, exit code ${exitCode}`);
// Leaving disposes both. Containers that still ran would go on; the next engine on this root takes them up again.
