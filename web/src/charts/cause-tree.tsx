// From all of a series to who is behind its excess: each step with its share, as nested lists.
import { money, percent, t } from '../i18n';
import { causeTree, type Anomaly, type CauseNode, type Element } from '../lib/watch';
import { Icon } from '../parts/basics';

interface Props {
  anomaly: Anomaly;
  nameOf: (element: Element) => string;
}

export function CauseTree({ anomaly, nameOf }: Props) {
  const words = t.value.watch;
  const root = causeTree(anomaly);
  const suspect = find(root, (node) => node.suspect);
  return (
    <div class="cause-tree">
      <p class="summary">
        {root.children.length === 0 || !suspect
          ? words.causesNone
          : words.causesSummary(shareText(suspect), nameOf(suspect.element))}
      </p>
      <ul>
        <Branch node={root} currency={anomaly.currency} nameOf={nameOf} />
      </ul>
    </div>
  );
}

const find = (node: CauseNode, wanted: (node: CauseNode) => boolean): CauseNode | undefined =>
  wanted(node)
    ? node
    : node.children.reduce<CauseNode | undefined>(
        (found, child) => found ?? find(child, wanted),
        undefined,
      );

const shareText = (node: CauseNode): string =>
  node.atLeast ? t.value.watch.atLeast(percent(node.share)) : percent(node.share);

function Branch(props: { node: CauseNode; currency: string; nameOf: Props['nameOf'] }) {
  const { node, currency, nameOf } = props;
  const words = t.value.watch;
  return (
    <li class={node.suspect ? 'suspect' : ''}>
      <div class="cause">
        <span class="cause-name">
          {node.suspect && <Icon name="warn" />}
          {nameOf(node.element)}
          {node.suspect && <span class="tag-word">{words.suspect}</span>}
        </span>
        <span class="cause-bar" aria-hidden="true">
          <i
            class={node.atLeast ? 'open' : ''}
            style={{ width: `${(node.share * 100).toFixed(1)}%` }}
          />
        </span>
        <span class="number cause-share">{shareText(node)}</span>
        {node.spent && currency && (
          <span class="soft small cause-spent">
            {words.causeSpent(
              money(node.spent.actual, currency),
              money(node.spent.expected, currency),
            )}
          </span>
        )}
      </div>
      {node.children.length > 0 && (
        <ul>
          {node.children.map((child) => (
            <Branch node={child} currency={currency} nameOf={nameOf} />
          ))}
        </ul>
      )}
    </li>
  );
}
