// Asks a component whether it is ready. One question, one answer; repeating is the caller's business.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { Probe } from './specification.ts';

const TIMEOUT_MS = 2000;

/** Does the component answer as a ready one does? Never throws: what cannot be reached is not ready. */
export async function isReady(probe: Probe): Promise<boolean> {
  switch (probe.kind) {
    case 'none':
      return true;
    case 'command':
      return await succeeds(probe.command);
    case 'http':
      return await answers(probe.url, {});
    case 'https':
      return await answers(probe.url, { ca: readFileSync(probe.authorityFile) });
    case 'mutual-tls':
      return await answers(probe.url, {
        ca: readFileSync(probe.authorityFile),
        cert: readFileSync(probe.certificateFile),
        key: readFileSync(probe.keyFile),
      });
  }
}

function answers(url: string, options: RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const open = url.startsWith('https:') ? httpsRequest : httpRequest;
    const question = open(url, { ...options, agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      response.on('end', () => {
        resolve(response.statusCode === 200);
      });
      response.on('error', () => {
        resolve(false);
      });
    });
    question.on('timeout', () => question.destroy());
    question.on('error', () => {
      resolve(false);
    });
    question.end();
  });
}

function succeeds([file, ...args]: readonly [string, ...string[]]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'ignore', timeout: TIMEOUT_MS });
    child.on('error', () => {
      resolve(false);
    });
    child.on('exit', (code) => {
      resolve(code === 0);
    });
  });
}
