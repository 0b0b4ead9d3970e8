export { dockerLogins, type DockerLogins } from './registry/docker-logins.ts';
export { forgetLogin, keepLogin, type KeptLogin } from './registry/keep-login.ts';
export { DOCKER_HUB, registryKey, registryKeyOf, type RegistryLogin } from './registry/registry-login.ts';
