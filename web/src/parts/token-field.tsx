// The access token that a change needs, and where it is to be found.
import { t } from '../i18n';

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
