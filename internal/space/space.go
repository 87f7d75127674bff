// Package space holds search spaces as data: the hyperparameters of an
// architecture, each with a name, a definition for the prompt and its choices,
// and the architectures that they span, to sample, mutate, cross over, identify
// and read.
package space

import (
	"fmt"
	"math/big"
	"math/rand/v2"

	"hsnas/internal/config"
)

// Hyperparameter is one dimension of a space: a single value, or, where Layers
// names another hyperparameter (the depth), one value for each layer of it.
type Hyperparameter struct {
	Name       string   `yaml:"name"`
	Definition string   `yaml:"definition"` // what the prompt says about it
	Choices    []Choice `yaml:"choices"`
	Layers     string   `yaml:"layers"` // name of the depth hyperparameter, "" for a single value

	depth     int // index of the depth hyperparameter, -1 for a single value
	offset    int // first gene
	genes     int // number of genes: 1, or the largest depth
	dependent bool
}

// IsDepth says whether other hyperparameters have one value for each of this
// one's layers. Its value is then the length of their lists, and architectures
// as JSON do not repeat it.
func (h *Hyperparameter) IsDepth() bool { return h.dependent }

// PerLayer says whether the hyperparameter has one value for each layer.
func (h *Hyperparameter) PerLayer() bool { return h.depth >= 0 }

// Space is a search space. It is immutable once parsed.
type Space struct {
	Name            string           `yaml:"name"`
	Title           string           `yaml:"title"`
	Hyperparameters []Hyperparameter `yaml:"hyperparameters"`

	index map[string]int
	genes int // length of a genome, layers that are not there included
}

// maxChoices bounds the choices of a hyperparameter: a gene is one byte.
const maxChoices = 256

// Parse reads a space from YAML. file names the text in errors.
func Parse(file string, text []byte) (*Space, error) {
	s := new(Space)
	if err := config.Decode(file, text, s); err != nil {
		return nil, err
	}
	return s, nil
}

// Validate implements config.Validator: it checks the names and the links
// between hyperparameters, and lays out the genome.
func (s *Space) Validate() error {
	if s.Name == "" {
		return config.Fieldf("name", "a space needs a name")
	}
	if len(s.Hyperparameters) == 0 {
		return config.Fieldf("hyperparameters", "a space needs at least one hyperparameter")
	}
	s.index = make(map[string]int)
	for i, h := range s.Hyperparameters {
		if _, twice := s.index[h.Name]; twice {
			return config.Fieldf("hyperparameters", "%q is defined twice", h.Name)
		}
		s.index[h.Name] = i
	}
	s.genes = 0
	for i := range s.Hyperparameters {
		if err := s.layOut(&s.Hyperparameters[i]); err != nil {
			return err
		}
	}
	return nil
}

// Validate implements config.Validator.
func (h *Hyperparameter) Validate() error {
	switch {
	case h.Name == "":
		return config.Fieldf("name", "a hyperparameter needs a name")
	case h.Definition == "":
		return config.Fieldf("definition", "%s needs a definition: the prompt explains it to the LLM", h.Name)
	case len(h.Choices) == 0 || len(h.Choices) > maxChoices:
		return config.Fieldf("choices", "%s has %d choices; expected 1 to %d", h.Name, len(h.Choices), maxChoices)
	}
	seen := map[string]bool{}
	for _, c := range h.Choices {
		if seen[c.literal] {
			return config.Fieldf("choices", "%s has the choice %s twice", h.Name, c)
		}
		seen[c.literal] = true
	}
	return nil
}

// layOut gives h its place in the genome and links it to its depth.
func (s *Space) layOut(h *Hyperparameter) error {
	h.depth, h.offset, h.genes = -1, s.genes, 1
	if h.Layers != "" {
		d, ok := s.index[h.Layers]
		if !ok {
			return config.Fieldf("hyperparameters", "%s has one value for each of %q, which is no hyperparameter%s",
				h.Name, h.Layers, config.DidYouMean(h.Layers, s.Names()))
		}
		depth := &s.Hyperparameters[d]
		if depth.Layers != "" {
			return config.Fieldf("hyperparameters", "%s: the depth %s is itself a list", h.Name, depth.Name)
		}
		most, err := depth.maxDepth()
		if err != nil {
			return err
		}
		h.depth, h.genes, depth.dependent = d, most, true
	}
	s.genes += h.genes
	return nil
}

// maxLayers bounds a depth, so that a slip in a YAML file does not take all memory.
const maxLayers = 1000

func (h *Hyperparameter) maxDepth() (int, error) {
	most := 0
	for _, c := range h.Choices {
		n, ok := c.Int()
		if !ok || n < 1 || n > maxLayers {
			return 0, config.Fieldf("hyperparameters", "%s counts layers; its choice %s is no whole number from 1 to %d", h.Name, c, maxLayers)
		}
		most = max(most, n)
	}
	return most, nil
}

// Names returns the hyperparameters' names in the order of their definition.
func (s *Space) Names() []string {
	names := make([]string, len(s.Hyperparameters))
	for i, h := range s.Hyperparameters {
		names[i] = h.Name
	}
	return names
}

// Index returns the place of a hyperparameter in the order of definition.
func (s *Space) Index(name string) (int, bool) {
	i, ok := s.index[name]
	return i, ok
}

// Size returns the number of architectures in the space.
func (s *Space) Size() *big.Int {
	total := big.NewInt(1)
	for i, h := range s.Hyperparameters {
		switch {
		case h.PerLayer(): // counted with its depth
		case h.dependent:
			sum := new(big.Int)
			for _, c := range h.Choices {
				n, _ := c.Int()
				sum.Add(sum, s.ways(i, n))
			}
			total.Mul(total, sum)
		default:
			total.Mul(total, big.NewInt(int64(len(h.Choices))))
		}
	}
	return total
}

// ways counts the settings of all lists of a depth that has n layers.
func (s *Space) ways(depth, n int) *big.Int {
	product := big.NewInt(1)
	for _, h := range s.Hyperparameters {
		if h.depth == depth {
			product.Mul(product, new(big.Int).Exp(big.NewInt(int64(len(h.Choices))), big.NewInt(int64(n)), nil))
		}
	}
	return product
}

// Sample draws every hyperparameter uniformly from its choices, the depth
// first, as HAT does; it is not uniform over the architectures, of which most
// are deep.
func (s *Space) Sample(r *rand.Rand) Architecture {
	return s.build(func(int, int) (byte, bool) { return 0, false }, r)
}

// Mutate redraws every gene of a with probability p. A layer that a new depth
// adds is drawn anew, one that it removes is dropped.
func (s *Space) Mutate(r *rand.Rand, a Architecture, p float64) Architecture {
	return s.build(func(h, layer int) (byte, bool) {
		if layer >= a.lengthOf(h) || r.Float64() < p {
			return 0, false
		}
		return a.gene(h, layer), true
	}, r)
}

// Crossover takes every gene from a or b with even odds; a layer that only one
// of them has comes from that one.
func (s *Space) Crossover(r *rand.Rand, a, b Architecture) Architecture {
	return s.build(func(h, layer int) (byte, bool) {
		from := a
		if r.IntN(2) == 1 {
			from = b
		}
		if layer >= from.lengthOf(h) {
			if from = a; layer >= a.lengthOf(h) {
				from = b
			}
		}
		return from.gene(h, layer), layer < from.lengthOf(h)
	}, r)
}

// Smallest returns the architecture with the smallest number at every gene, Largest
// the one with the largest. A text choice is taken to grow in the order of its list.
func (s *Space) Smallest() Architecture { return s.extreme(-1) }

// Largest: see Smallest.
func (s *Space) Largest() Architecture { return s.extreme(+1) }

func (s *Space) extreme(sign float64) Architecture {
	return s.build(func(h, _ int) (byte, bool) {
		best, choices := 0, s.Hyperparameters[h].Choices
		for i := range choices {
			if sign*(choices[i].order(i)-choices[best].order(best)) > 0 {
				best = i
			}
		}
		return byte(best), true
	}, nil)
}

// build makes an architecture gene by gene, depths before the lists that need
// them; where pick has no gene to offer, one is drawn from r.
func (s *Space) build(pick func(h, layer int) (byte, bool), r *rand.Rand) Architecture {
	a := Architecture{space: s, genome: make([]byte, s.genes)}
	for _, lists := range []bool{false, true} {
		for i := range s.Hyperparameters {
			h := &s.Hyperparameters[i]
			if h.PerLayer() != lists {
				continue
			}
			for layer := range a.lengthOf(i) {
				gene, ok := pick(i, layer)
				if !ok {
					gene = byte(r.IntN(len(h.Choices)))
				}
				a.genome[h.offset+layer] = gene
			}
		}
	}
	return a
}

// String names the space and its size.
func (s *Space) String() string {
	return fmt.Sprintf("%s (%d hyperparameters, %s architectures)", s.Name, len(s.Hyperparameters), s.Size())
}
