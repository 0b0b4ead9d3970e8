import type { Scene } from '../step.ts';

/** Images: what is told of them, their tags and their removal. */
export const imageScenes: readonly Scene[] = [
  {
    name: 'an image told in every way',
    steps: [
      { target: 'GET /images/busybox/json', keep: 'image' },
      { target: 'GET /images/busybox:latest/json' },
      { target: 'GET /images/docker.io/library/busybox:latest/json' },
      { target: 'GET /images/{image}/json' },
      { target: 'GET /images/busybox/history' },
      { target: 'GET /images/json' },
      { target: 'GET /images/json?all=1' },
      { target: 'GET /images/json?filters=%7B%22reference%22%3A%5B%22busy*%22%5D%7D' },
      { target: 'GET /images/json?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D' },
    ],
  },
  {
    name: 'tags',
    steps: [
      { target: 'GET /images/busybox/json', keep: 'image' },
      { target: 'POST /images/busybox/tag?repo=mine&tag=1' },
      { target: 'POST /images/busybox/tag?repo=docker.io/library/other&tag=2' },
      { target: 'POST /images/busybox/tag?repo=Mine&tag=1' },
      { target: 'POST /images/busybox/tag?repo=mine&tag=a%20b' },
      { target: 'GET /images/mine:1/json' },
      { target: 'GET /images/other:2/json' },
      { target: 'DELETE /images/{image}' },
      { target: 'DELETE /images/mine:1' },
      { target: 'DELETE /images/other:2' },
      { target: 'DELETE /images/mine:1' },
    ],
  },
  {
    name: 'an image in use',
    steps: [
      { target: 'GET /images/busybox/json', keep: 'image' },
      {
        target: 'POST /containers/create?name=user',
        json: { Image: 'busybox', Cmd: ['sleep', '100'], StopSignal: 'SIGKILL', HostConfig: { NetworkMode: 'none' } },
        keep: 'user',
      },
      { target: 'DELETE /images/busybox' },
      { target: 'DELETE /images/{image}' },
      { target: 'POST /containers/user/start' },
      { target: 'DELETE /images/{image}' },
      { target: 'DELETE /images/{image}?force=1' },
      { target: 'GET /containers/json?all=1&filters=%7B%22ancestor%22%3A%5B%22busybox%22%5D%7D' },
      { target: 'DELETE /containers/user?force=1' },
    ],
  },
];
