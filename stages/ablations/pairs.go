package ablations

import "math"

// game is a comparison of two architectures.
type game struct{ winner, loser string }

// bradleyTerry returns the logarithm of each architecture's strength, fitted to
// comparisons by the minorisation-maximisation of Hunter (2004), section 3. Each
// architecture also wins and loses half a game against one of strength 1, without
// which one that always wins would have no finite strength.
func bradleyTerry(ids []string, games []game) map[string]float64 {
	strength, wins := map[string]float64{}, map[string]float64{}
	for _, id := range ids {
		strength[id], wins[id] = 1, 0.5
	}
	for _, g := range games {
		wins[g.winner]++
	}
	for range 200 {
		weight := map[string]float64{}
		for _, id := range ids {
			weight[id] = 1 / (strength[id] + 1)
		}
		for _, g := range games {
			w := 1 / (strength[g.winner] + strength[g.loser])
			weight[g.winner] += w
			weight[g.loser] += w
		}
		for _, id := range ids {
			strength[id] = wins[id] / weight[id]
		}
	}
	for _, id := range ids {
		strength[id] = math.Log(strength[id])
	}
	return strength
}
