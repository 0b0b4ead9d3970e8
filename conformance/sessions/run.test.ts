import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sessions } from '../sessions.ts';

sessions('docker run', (session) => {
  it('prints what the program prints, each stream on its own, and ends with its code', async () => {
    const { exitCode, stdout, stderr } = await session.docker.run(['run', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 7, stdout: 'out\n', stderr: 'err\n' });
  });
});
