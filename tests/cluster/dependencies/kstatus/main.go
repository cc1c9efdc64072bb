// kstatus reads one object per line (JSON) and prints, for each, what the kstatus library of GitOps tools makes of it.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			log.Fatal(err)
		}
		verdict, err := status.Compute(&object)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\t%s\n", verdict.Status, verdict.Message)
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
