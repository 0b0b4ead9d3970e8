import { EngineUnderTest } from './engines.ts';
import { FairleadCli } from './fairlead-cli.ts';
import { setTimeout as sleep } from 'node:timers/promises';
await using e = await EngineUnderTest.start('fairlead');
for (const who of ['docker','fairlead','docker','fairlead'] as const) {
  const cli = who==='docker' ? e.docker : new FairleadCli(`unix://${e.socketPath}`);
  const name = 'w'+Math.random().toString(36).slice(2,8);
  { await using s = cli.atTerminal(['run','-it','--name',name,'busybox','sh']); await s.says(/\/ # /); s.write('echo 1$((1+1))3\n'); await s.says(/123/); s.write('\u0010\u0011'); const r = await s.result(); console.log(who,'detached', r.exitCode); }
  for (let i=0;i<2;i++) { await using s = cli.atTerminal(['attach',name]); await sleep(1500); s.write('echo 4$((2+3))6\n'); try { await s.says(/456/,{withinMs:3000}); console.log(who,'attach ok'); } catch (x) { console.log(who,'attach FAILED', JSON.stringify(s.stdout)); }  s.write('\u0010\u0011'); console.log((await s.result()).exitCode); }
}
