"""authority.py - a certificate authority for one test, made by the openssl command."""
import pathlib
import subprocess

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


class Authority:
    """Files in `folder`: ca.pem, and NAME.pem and NAME.key for each certificate."""

    def __init__(self, folder, name="test authority"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index\nserial=serial\ndefault_md=sha256\n"
            "policy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n")
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("01\n")
        self.openssl("req", "-x509", *KEY, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
                     "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.ca = self.folder / "ca.pem"

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, check=True, timeout=60,
                       capture_output=True)

    def issue(self, file, name=None, alt="IP:127.0.0.1,DNS:localhost", expired=False, password=None):
        """A certificate for `name` (the file's), valid now or long ago: the paths of both files."""
        protect = ["-passout", f"pass:{password}"] if password else ["-nodes"]
        self.openssl("req", "-new", *KEY, *protect, "-keyout", f"{file}.key", "-out", f"{file}.csr",
                     "-subj", f"/CN={name or file}", "-addext", f"subjectAltName={alt}")
        when = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"] if expired else ["-days", "30"]
        self.openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
                     "-in", f"{file}.csr", "-out", f"{file}.pem", *when)
        return self.folder / f"{file}.pem", self.folder / f"{file}.key"

    def self_signed(self, file, alt="IP:127.0.0.1,DNS:localhost"):
        self.openssl("req", "-x509", *KEY, "-nodes", "-keyout", f"{file}.key", "-out", f"{file}.pem", "-days", "30",
                     "-subj", f"/CN={file}", "-addext", f"subjectAltName={alt}")
        return self.folder / f"{file}.pem", self.folder / f"{file}.key"
