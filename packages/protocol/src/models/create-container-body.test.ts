import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeBody } from '../codec/go-json.ts';
import { inspectedConfig } from './container-config.ts';
import { configOf, createContainerBodySchema, type CreateContainerBodyInput } from './create-container-body.ts';
import { inspectedHostConfig } from './host-config.ts';

/** What docker CLI 28.2.2 sends for `docker run -d --name c busybox sleep 1000`. Source: engine-api 7. */
const CLI_BODY = `{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"Tty":false,
"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":["sleep","1000"],"Image":"busybox:latest","Volumes":{},"WorkingDir":"","Entrypoint":null,
"OnBuild":null,"Labels":{},"HostConfig":{"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"","Config":{}},"NetworkMode":"default",
"PortBindings":{},"RestartPolicy":{"Name":"no","MaximumRetryCount":0},"AutoRemove":false,"VolumeDriver":"","VolumesFrom":null,
"ConsoleSize":[0,0],"CapAdd":null,"CapDrop":null,"CgroupnsMode":"","Dns":[],"DnsOptions":[],"DnsSearch":[],"ExtraHosts":null,
"GroupAdd":null,"IpcMode":"","Cgroup":"","Links":null,"OomScoreAdj":0,"PidMode":"","Privileged":false,"PublishAllPorts":false,
"ReadonlyRootfs":false,"SecurityOpt":null,"UTSMode":"","UsernsMode":"","ShmSize":0,"Isolation":"","CpuShares":0,"Memory":0,"NanoCpus":0,
"CgroupParent":"","BlkioWeight":0,"BlkioWeightDevice":[],"BlkioDeviceReadBps":[],"BlkioDeviceWriteBps":[],"BlkioDeviceReadIOps":[],
"BlkioDeviceWriteIOps":[],"CpuPeriod":0,"CpuQuota":0,"CpuRealtimePeriod":0,"CpuRealtimeRuntime":0,"CpusetCpus":"","CpusetMems":"",
"Devices":[],"DeviceCgroupRules":null,"DeviceRequests":null,"MemoryReservation":0,"MemorySwap":0,"MemorySwappiness":-1,
"OomKillDisable":false,"PidsLimit":0,"Ulimits":[],"CpuCount":0,"CpuPercent":0,"IOMaximumIOps":0,"IOMaximumBandwidth":0,
"MaskedPaths":null,"ReadonlyPaths":null},"NetworkingConfig":{"EndpointsConfig":{"default":{"IPAMConfig":null,"Links":null,
"Aliases":null,"MacAddress":"","DriverOpts":null,"GwPriority":0,"NetworkID":"","EndpointID":"","Gateway":"","IPAddress":"",
"IPPrefixLen":0,"IPv6Gateway":"","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,"DNSNames":null}}}}`;

describe('createContainerBodySchema', () => {
  const body = decodeBody(createContainerBodySchema, CLI_BODY);

  it("takes the docker CLI's odd defaults as not given", () => {
    assert.equal(body.HostConfig.MemorySwappiness, null);
    assert.equal(body.HostConfig.PidsLimit, null);
    assert.equal(body.HostConfig.ShmSize, 64 * 1024 * 1024);
    assert.equal(body.HostConfig.LogConfig.Type, 'json-file');
    assert.deepEqual(Object.keys(body.NetworkingConfig.EndpointsConfig), ['default']);
  });

  it('is complete for an empty document, and the same as for the CLI but for what it said', () => {
    const empty = decodeBody(createContainerBodySchema, '{}');
    assert.deepEqual(Object.keys(empty).toSorted(), Object.keys(body).toSorted());
    assert.deepEqual(empty.HostConfig, { ...body.HostConfig, OomKillDisable: null });
  });

  it("shows inspect Docker's null or empty", () => {
    const shown = inspectedHostConfig(body.HostConfig);
    assert.deepEqual(
      [
        shown.Binds,
        shown.PortBindings,
        shown.Dns,
        shown.CapAdd,
        shown.Links,
        shown.Devices,
        shown.Ulimits,
        shown.VolumesFrom,
      ],
      [null, {}, [], null, null, [], [], null],
    );
    for (const key of ['Mounts', 'Tmpfs', 'Sysctls', 'StorageOpt', 'Annotations', 'Runtime', 'Init']) {
      assert.equal(key in shown, false, key);
    }
    const config = inspectedConfig(configOf(body));
    assert.deepEqual([config.Env, config.Cmd, config.Entrypoint, config.Labels], [null, ['sleep', '1000'], null, {}]);
    for (const key of ['ExposedPorts', 'Healthcheck', 'StopSignal', 'StopTimeout', 'Shell', 'HostConfig']) {
      assert.equal(key in config, false, key);
    }
  });

  it('shows inspect what was set', () => {
    const set = decodeBody(
      createContainerBodySchema,
      '{"StopTimeout":0,"StopSignal":"INT","ExposedPorts":{"80/tcp":{}},"HostConfig":{"Init":false,"Tmpfs":{"/t":""},"Runtime":"crun"}}',
    );
    assert.deepEqual(
      [inspectedConfig(set).StopTimeout, inspectedConfig(set).StopSignal, inspectedConfig(set).ExposedPorts],
      [0, 'INT', { '80/tcp': {} }],
    );
    const host = inspectedHostConfig(set.HostConfig);
    assert.deepEqual([host.Init, host.Tmpfs, host.Runtime], [false, { '/t': '' }, 'crun']);
  });

  it('tells an absent entrypoint from an empty one, and takes a text for a list of one', () => {
    const entrypoint = (text: string) => decodeBody(createContainerBodySchema, text).Entrypoint;
    assert.equal(entrypoint('{}'), null);
    assert.equal(entrypoint('{"Entrypoint":null}'), null);
    assert.deepEqual(entrypoint('{"Entrypoint":[]}'), []);
    assert.deepEqual(entrypoint('{"Entrypoint":[""]}'), ['']);
    assert.deepEqual(entrypoint('{"Entrypoint":"sh -c"}'), ['sh -c']);
  });

  it('reads mounts, devices and health checks', () => {
    const typed: CreateContainerBodyInput = {
      Image: 'busybox',
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000 },
      HostConfig: {
        Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1 } }],
        Devices: [{ PathOnHost: '/dev/null' }],
        DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }],
      },
    };
    const got = decodeBody(createContainerBodySchema, JSON.stringify(typed));
    assert.deepEqual(got.Healthcheck, {
      Test: ['CMD', 'true'],
      Interval: 1e9,
      Timeout: 0,
      StartPeriod: 0,
      StartInterval: 0,
      Retries: 0,
    });
    assert.deepEqual(got.HostConfig.Mounts[0]?.TmpfsOptions, { SizeBytes: 1, Mode: 0, Options: null });
    assert.deepEqual(got.HostConfig.Devices, [{ PathOnHost: '/dev/null', PathInContainer: '', CgroupPermissions: '' }]);
    assert.deepEqual(got.HostConfig.DeviceRequests?.[0]?.Capabilities, [['gpu']]);
  });

  it('passes on a null endpoint, which the engine refuses', () => {
    const got = decodeBody(createContainerBodySchema, '{"NetworkingConfig":{"EndpointsConfig":{"net":null}}}');
    assert.deepEqual(got.NetworkingConfig.EndpointsConfig, { net: null });
  });

  it('is unchanged when it is sent once more', () => {
    assert.deepEqual(decodeBody(createContainerBodySchema, JSON.stringify(body)), body);
  });
});
