// The access token that a change needs, and where it is to be found.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { ApiError } from '../lib/api';
import { loadSecret, storeSecret } from '../lib/local';
import { Problem } from './figure';

export function TokenField(props: {
  name: string;
  value: string;
  onInput: (value: string) => void;
  className?: string;
}) {
  return (
    <label class={props.className}>
      <span>{props.name}</span>
      <input
        type="password"
        value={props.value}
        autocomplete="off"
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
      <small class="soft">{t.value.imports.tokenHelp}</small>
    </label>
  );
}

export type Act = (change: (token: string) => Promise<unknown>) => Promise<boolean>;
/** Makes changes with the token of the tab. `refusal` asks for one where it is needed, and says why a change was refused. */
export function useChanges(
  name: string,
  done: () => void,
): { act: Act; refusal: ComponentChildren } {
  const [token, setToken] = useState(loadSecret('token'));
  const [refused, setRefused] = useState<unknown>();
  const act: Act = (change) =>
    change(token.trim()).then(
      () => {
        setRefused(undefined);
        done();
        return true;
      },
      (reason: unknown) => {
        setRefused(reason);
        return false;
      },
    );
  const unknown = refused instanceof ApiError && refused.status === 401;
  const refusal = unknown ? (
    <TokenField
      className="field budget-token"
      name={name}
      value={token}
      onInput={(value) => {
        setToken(value);
        storeSecret('token', value.trim());
      }}
    />
  ) : (
    refused !== undefined && <Problem error={refused} />
  );
  return { act, refusal };
}
