import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Prints a line for each file and standard: the file, the standard, and the rules that it breaks, or "conforms". */
class Validate {
    public static void main(String[] files) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (String file : files) {
            for (PDFAFlavour standard : List.of(PDFAFlavour.PDFA_3_A, PDFAFlavour.PDFUA_1)) {
                Set<String> broken = brokenRules(Path.of(file), standard);
                System.out.println(file + "\t" + standard.getId() + "\t"
                        + (broken.isEmpty() ? "conforms" : String.join("; ", broken)));
            }
        }
    }

    private static Set<String> brokenRules(Path file, PDFAFlavour standard) throws Exception {
        try (InputStream content = Files.newInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(content, standard);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(standard, false)) {
            ValidationResult result = validator.validate(parser);
            Set<String> broken = result.getTestAssertions().stream().map(Validate::rule).collect(Collectors.toSet());
            if (broken.isEmpty() != result.isCompliant()) {
                throw new IllegalStateException(file + ": " + result);
            }
            return broken;
        }
    }

    private static String rule(TestAssertion failed) {
        return failed.getRuleId().getClause() + "-" + failed.getRuleId().getTestNumber() + " " + failed.getMessage();
    }
}
