import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate } from './go-template.ts';

const web = {
  Name: '/web',
  State: { Status: 'running', ExitCode: 0, Paused: false },
  Config: { Env: ['A=1', 'B=<2>'], Labels: { b: 'y', a: 'x' }, Entrypoint: null },
  Mounts: [],
};

describe('parseTemplate', () => {
  const rendered = [
    ['{{.State.Status}}', 'running'],
    ['{{ .Name }}: {{.State.ExitCode}}', '/web: 0'],
    ['{{json .State}}', '{"Status":"running","ExitCode":0,"Paused":false}'],
    ['{{json .Config.Env}}', '["A=1","B=<2>"]'],
    ['{{.Config.Env}} {{.Config.Labels}}', '[A=1 B=<2>] map[a:x b:y]'],
    ['{{.Config.Entrypoint}}', '<no value>'],
    ['{{range .Config.Env}}{{.}};{{end}}', 'A=1;B=<2>;'],
    ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{$.Name}},{{end}}', 'a=x /web,b=y /web,'],
    ['{{range .Mounts}}x{{else}}none{{end}}', 'none'],
    ['{{if .State.Paused}}p{{else if eq .State.Status "running"}}r{{else}}o{{end}}', 'r'],
    ['{{with .State}}{{.Status | upper}}{{end}}', 'RUNNING'],
    ['{{index .Config.Labels "b"}}{{index .Config.Env 1}}', 'yB=<2>'],
    ['{{len .Config.Env}} {{join .Config.Env ", "}}', '2 A=1, B=<2>'],
    ['{{$x := .Name}}{{$x}}', '/web'],
    ['a {{- .Name -}} b', 'a/webb'],
    ['{{/* why */}}x\\ty', 'x\ty'],
    ['{{println "}}" (len .Name)}}', '}} 4\n'],
    ['{{(index .Config.Env 0) | lower}}', 'a=1'],
    ['{{printf "%s-%d" .Name 3}}', '/web-3'],
    ['plain', 'plain'],
  ] as const;
  for (const [source, text] of rendered) {
    it(`renders ${source}`, () => assert.equal(parseTemplate(source).render(web), text));
  }

  const refused = [
    ['{{.State.Foo}}', /at <\.State\.Foo>: map has no entry for key "Foo"/],
    ['{{nosuch .}}', /function "nosuch" not defined/],
    ['{{.State', /unclosed action/],
    ['{{if .State}}x', /unexpected EOF/],
    ['{{end}}', /unexpected \{\{end\}\}/],
    ['{{index .Config.Env 9}}', /out of range/],
    ['{{$nosuch}}', /undefined variable/],
    ['{{}}', /missing value/],
    ['{{"a" .Name}}', /can't give argument/],
  ] as const;
  for (const [source, message] of refused) {
    it(`refuses ${source}`, () =>
      assert.throws(() => parseTemplate(source).render(web), { name: 'TemplateError', message }));
  }
});
