// The first screen: where the money goes, what changed, and what stands behind it.
import { Hero } from './hero';
import { OpenIncident } from './incidents';
import { Spend } from './spend';
import { DriverByStage, EnvironmentFlow } from './where-it-goes';
import { Movers } from './movers';
import { UseCases } from './use-cases';
import { Sources } from './sources';

export function Overview() {
  return (
    <div class="wrap overview">
      <OpenIncident />
      <Hero />
      <Spend />
      <div class="pair">
        <DriverByStage />
        <EnvironmentFlow />
      </div>
      <Movers />
      <UseCases />
      <Sources />
    </div>
  );
}
