package inspect

import "testing"

// commandLines are command lines as they are met on real hosts. The working
// directory is /srv/bookshop unless the case says otherwise.
type commandLine struct {
	exe  string
	args []string
	cwd  string
	env  []string
	want string
}

func checkNames(t *testing.T, language string, lines []commandLine) {
	t.Helper()
	for _, line := range lines {
		if line.cwd == "" {
			line.cwd = "/srv/bookshop"
		}
		t.Run(line.want, func(t *testing.T) {
			p := newFakeHost(t).inspect(fakeProcess{exe: line.exe, args: line.args, cwd: line.cwd, env: line.env})
			if p.Language != language {
				t.Errorf("%q: language %q, want %q", line.args, p.Language, language)
			}
			if got := p.Identity(); got.Name != line.want {
				t.Errorf("%q in %s: name %q (%s), want %q", line.args, line.cwd, got.Name, got.Source, line.want)
			}
		})
	}
}

func TestPython(t *testing.T) {
	const python = "/usr/bin/python3.11"
	checkNames(t, "python", []commandLine{
		{exe: python, args: words("python3 -m http.server 8000"), want: "http.server"},
		{exe: python, args: words("python3 -u -W ignore -X dev -Im http.server"), want: "http.server"},
		{exe: python, args: words("python3 -mhttp.server"), want: "http.server"},
		{exe: python, args: words("python3 -m shop.__main__"), want: "shop"},
		{exe: python, args: words("python3 /opt/tools/exporter.py --port 1"), want: "exporter"},
		{exe: python, args: words("python3 server.py"), want: "bookshop"},
		{exe: python, args: words("python3 main.py"), cwd: "/tmp/tmp8s_x1", want: "main"},
		{exe: python, args: words("python3"), want: "python"},
		{exe: python, args: []string{"python3", "-c", "import http.server as h; h.test()"}, want: "python"},
		{exe: python, args: words("/venv/bin/python /venv/bin/gunicorn -b 0.0.0.0:8000 -w 4 shop.wsgi:app"), want: "shop"},
		{exe: python, args: words("python3 /usr/bin/gunicorn --preload shop.wsgi"), want: "shop"},
		{exe: python, args: words("python3 /usr/bin/gunicorn -k uvicorn.workers.UvicornWorker -c gunicorn.conf.py main:app"), want: "bookshop"},
		{exe: python, args: words("python3 /usr/bin/gunicorn -n storefront shop.wsgi"), want: "storefront"},
		{exe: python, args: words("python3 /usr/bin/gunicorn --chdir /srv/library app:app"), want: "library"},
		{exe: python, args: words("python3 /usr/bin/gunicorn app:app"), cwd: "/app", want: "gunicorn"},
		{exe: python, args: words("python3 /usr/bin/gunicorn shop:create_app()"), want: "shop"},
		{exe: python, args: []string{"gunicorn: worker [shop.wsgi:app]"}, want: "shop"},
		{exe: python, args: []string{"gunicorn: master [storefront]"}, want: "storefront"},
		{exe: python, args: words("python3 -m uvicorn app.main:app --host 0.0.0.0 --port 80"), want: "bookshop"},
		{exe: python, args: words("python3 /usr/local/bin/uvicorn --reload shop.api:app"), want: "shop.api"},
		{exe: python, args: words("python3 /usr/bin/hypercorn shop.asgi:application"), want: "shop"},
		{exe: python, args: words("python3 /usr/bin/daphne -p 8001 shop.asgi:application"), want: "shop"},
		{exe: python, args: words("python3 /usr/bin/flask --app shop run --port 80"), want: "shop"},
		{exe: python, args: words("python3 -m flask run"), env: []string{"FLASK_APP=/srv/library/app.py"}, want: "library"},
		{exe: python, args: words("python3 -m flask run"), want: "bookshop"},
		{exe: python, args: words("python3 /usr/bin/celery -A shop.celery worker -l info"), want: "shop.celery"},
		{exe: python, args: words("python3 manage.py runserver"), want: "bookshop"},
		{exe: python, args: words("python3 /app/manage.py runserver"), cwd: "/app", env: []string{"DJANGO_SETTINGS_MODULE=library.settings.prod"}, want: "library"},
		{exe: python, args: words("python3 -m streamlit run dashboard.py"), want: "dashboard"},
		{exe: "/usr/bin/uwsgi-core", args: words("/usr/bin/uwsgi --ini /etc/uwsgi/apps-enabled/shop.ini"), want: "shop"},
		{exe: "/usr/bin/uwsgi", args: words("uwsgi --http :80 --wsgi-file /srv/library/wsgi.py"), want: "library"},
		{exe: "/usr/bin/uwsgi", args: words("uwsgi --http :80 --module shop.wsgi:application"), want: "shop"},
	})
}

// uvicorn --workers 2 listens in children that only say how they were started.
func TestPythonWorkersAreNamedAfterTheirParent(t *testing.T) {
	host := newFakeHost(t)
	host.add(fakeProcess{pid: 10, exe: "/usr/bin/python3.11", args: words("python3 /usr/bin/uvicorn shop:app --workers 2")})
	worker := fakeProcess{pid: 11, parent: 10, exe: "/usr/bin/python3.11", args: []string{
		"/usr/bin/python3", "-c", "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, pipe_handle=7)", "--multiprocessing-fork",
	}}
	if got := host.inspect(worker).Identity(); got.Name != "shop" {
		t.Errorf("Identity = %+v, want the parent's name", got)
	}
	worker.pid, worker.parent = 12, 12 // No such process exists, but a fake may say so.
	if got := host.inspect(worker).Identity(); got.Name != "python" {
		t.Errorf("Identity of its own parent = %+v, want the plain interpreter", got)
	}
}

func TestNode(t *testing.T) {
	const node = "/usr/bin/node"
	checkNames(t, "nodejs", []commandLine{
		{exe: node, args: words("node orders.js"), want: "orders"},
		{exe: node, args: words("node -r dotenv/config --max-old-space-size=4096 dist/index.js"), want: "bookshop"},
		{exe: node, args: words("node /app/server.js"), cwd: "/app", want: "server"},
		{exe: node, args: words("node --title=storefront index.js"), want: "storefront"},
		{exe: node, args: words("node orders.js --title x"), want: "orders"},
		{exe: node, args: []string{"node", "-e", "require('http')"}, want: "node"},
		{exe: node, args: words("node index.js"), env: []string{"npm_package_name=shop"}, want: "shop"},
		{exe: node, args: words("node index.js"), env: []string{"name=storefront", "pm_id=0"}, want: "storefront"},
		{exe: node, args: words("node node_modules/.bin/ts-node src/orders.ts"), want: "orders"},
		{exe: node, args: words("node /usr/local/lib/node_modules/n8n/bin/n8n start"), want: "n8n"},
		{exe: node, args: words("node /usr/lib/node_modules/@acme/gateway/cli.js"), want: "@acme/gateway"},
		{exe: node, args: words("node /usr/local/bin/npm start"), env: []string{"npm_package_name=shop"}, want: "shop"},
	})
	checkNames(t, "deno", []commandLine{
		{exe: "/usr/bin/deno", args: words("deno run --allow-net orders.ts"), want: "orders"},
		{exe: "/usr/bin/deno", args: words("deno serve --port 80 main.ts"), want: "bookshop"},
		{exe: "/usr/bin/deno", args: words("deno run https://deno.land/std/http/file_server.ts"), want: "file_server"},
	})
	checkNames(t, "bun", []commandLine{
		{exe: "/usr/bin/bun", args: words("bun run orders.ts"), want: "orders"},
		{exe: "/usr/bin/bun", args: words("bun run start"), env: []string{"npm_package_name=shop"}, want: "shop"},
	})
}

func TestNodePackages(t *testing.T) {
	for _, test := range []struct {
		name  string
		args  []string
		files map[string]string
		want  string
	}{
		{"beside the script", words("node server.js"), map[string]string{"/srv/bookshop/package.json": `{"name":"shop"}`}, "shop"},
		{"above the script", words("node build/src/index.js"), map[string]string{"/srv/bookshop/package.json": `{"name":"@acme/shop"}`}, "@acme/shop"},
		{"nearest without a name", words("node dist/index.js"), map[string]string{
			"/srv/bookshop/dist/package.json": `{"type":"module"}`, "/srv/bookshop/package.json": `{"name":"shop"}`,
		}, "shop"},
		{"project of a tool", words("node /srv/bookshop/node_modules/.bin/vite"), map[string]string{
			"/srv/bookshop/package.json": `{"name":"shop"}`, "/srv/bookshop/node_modules/vite/package.json": `{"name":"vite"}`,
		}, "shop"},
		{"title of Next.js", []string{"next-server (v14.1.0)"}, map[string]string{"/srv/bookshop/package.json": `{"name":"shop"}`}, "shop"},
		{"malformed", words("node server.js"), map[string]string{"/srv/bookshop/package.json": `{"name":`}, "bookshop"},
		{"name of another type", words("node server.js"), map[string]string{"/srv/bookshop/package.json": `{"name":{}}`}, "bookshop"},
		{"hostile name", words("node server.js"), map[string]string{"/srv/bookshop/package.json": `{"name":"a\u0000\n\u202eb"}`}, "ab"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newFakeHost(t).inspect(fakeProcess{exe: "/usr/bin/node", args: test.args, cwd: "/srv/bookshop", files: test.files})
			if got := p.Identity(); got != (Identity{Name: test.want, Source: SourceInterpreter}) {
				t.Errorf("Identity = %+v, want %q", got, test.want)
			}
		})
	}
}

func TestJava(t *testing.T) {
	const java = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
	checkNames(t, "java", []commandLine{
		{exe: java, args: words("java -Xmx1g -jar /opt/app-1.2.3.jar --server.port=80"), want: "app"},
		{exe: java, args: words("java -cp a.jar:b.jar -jar shop-0.0.1-SNAPSHOT-exec.jar"), want: "shop"},
		{exe: java, args: words("java -jar oauth-2-proxy.jar"), want: "oauth-2-proxy"},
		{exe: java, args: words("java -jar shop_2.12-1.0.jar"), want: "shop"},
		{exe: java, args: words("java -jar -1.0.jar"), want: "-1.0"},
		{exe: java, args: words("java -jar target/quarkus-app/quarkus-run.jar"), want: "bookshop"},
		{exe: java, args: words("java -Dspring.application.name=orders -jar app.jar"), want: "orders"},
		{exe: java, args: words("java -jar app.jar --spring.application.name=orders"), want: "orders"},
		{exe: java, args: words("java -classpath /x:/y --add-opens java.base/java.lang=ALL-UNNAMED com.acme.ShopServer 80"), want: "ShopServer"},
		{exe: java, args: words("java -cp x com.acme.shop.Main"), want: "shop"},
		{exe: java, args: words("java -cp x com.acme.shop.MainKt"), want: "shop"},
		{exe: java, args: words("java -p mods -m com.acme.shop/com.acme.shop.Orders"), want: "Orders"},
		{exe: java, args: words("java @args.txt -cp x org.springframework.boot.loader.launch.JarLauncher"), want: "bookshop"},
		{exe: java, args: words("java -Dcatalina.base=/var/lib/tomcat10 -classpath x org.apache.catalina.startup.Bootstrap start"), want: "tomcat10"},
		{exe: java, args: words("java -cp x org.apache.catalina.startup.Bootstrap start"), want: "tomcat"},
		{exe: java, args: words("java Orders.java"), want: "Orders"},
		{exe: java, args: words("java -cp"), want: "java"},
		{exe: java, args: words("java -jar"), want: "java"},
	})
}

func TestRuby(t *testing.T) {
	const ruby = "/usr/bin/ruby3.1"
	checkNames(t, "ruby", []commandLine{
		{exe: ruby, args: words("ruby -I lib -r json orders.rb"), want: "orders"},
		{exe: ruby, args: words("ruby bin/rails server -p 80"), want: "bookshop"},
		{exe: ruby, args: words("ruby /usr/bin/bundle exec puma"), cwd: "/srv/library/current", want: "library"},
		{exe: ruby, args: []string{"puma 6.4.0 (tcp://0.0.0.0:3000) [storefront]"}, want: "storefront"},
		{exe: ruby, args: []string{"puma: cluster worker 0: 4711 [20240131120000]"}, cwd: "/srv/library/releases/20240131120000", want: "library"},
		{exe: ruby, args: []string{"unicorn master -c config/unicorn.rb -E production"}, want: "bookshop"},
		{exe: ruby, args: []string{"Passenger RubyApp: /var/www/storefront/public (production)"}, want: "storefront"},
		{exe: ruby, args: []string{"ruby", "-run", "-e", "httpd", ".", "-p", "80"}, want: "ruby"},
	})
}

func TestPHP(t *testing.T) {
	const php = "/usr/bin/php8.2"
	checkNames(t, "php", []commandLine{
		{exe: php, args: words("php -S 0.0.0.0:8000 -t public"), want: "bookshop"},
		{exe: php, args: words("php -d memory_limit=1G -S localhost:80 router.php"), cwd: "/var/www/html", want: "router"},
		{exe: php, args: words("php artisan serve"), want: "bookshop"},
		{exe: php, args: words("php -f orders.php"), want: "orders"},
		{exe: php, args: words("php /opt/library/bin/console server:run"), want: "library"},
		{exe: php, args: []string{"php", "-r", "sleep(1);"}, want: "php"},
		{exe: "/usr/sbin/php-fpm8.2", args: []string{"php-fpm: pool www"}, want: "php-fpm"},
		{exe: "/usr/sbin/php-fpm8.2", args: []string{"php-fpm: pool storefront"}, want: "storefront"},
		{exe: "/usr/local/sbin/php-fpm", args: []string{"php-fpm: master process (/usr/local/etc/php-fpm.conf)"}, want: "php-fpm"},
	})
}

func TestOtherInterpreters(t *testing.T) {
	checkNames(t, "dotnet", []commandLine{
		{exe: "/usr/share/dotnet/dotnet", args: words("dotnet Shop.Api.dll --urls http://*:80"), want: "Shop.Api"},
		{exe: "/usr/bin/dotnet", args: words("dotnet exec --runtimeconfig a.json /app/Shop.Api.dll"), want: "Shop.Api"},
		{exe: "/usr/bin/dotnet", args: words("dotnet run --project src/Shop.Api/Shop.Api.csproj"), want: "Shop.Api"},
		{exe: "/usr/bin/dotnet", args: words("dotnet run"), want: "bookshop"},
		{exe: "/usr/bin/dotnet", args: words("dotnet build"), want: "dotnet"},
	})
	checkNames(t, "perl", []commandLine{
		{exe: "/usr/bin/perl", args: words("perl -T /usr/local/bin/orders.pl"), want: "orders"},
		{exe: "/usr/bin/perl5.36.0", args: words("perl /usr/bin/plackup -p 5000 storefront.psgi"), want: "storefront"},
		{exe: "/usr/bin/perl", args: words("perl /usr/bin/plackup -p 5000"), want: "bookshop"},
		{exe: "/usr/bin/perl", args: words("perl /usr/bin/hypnotoad -f ./script/storefront"), want: "storefront"},
		{exe: "/usr/bin/perl", args: []string{"starman master"}, want: "starman"},
		{exe: "/usr/bin/perl", args: []string{"perl", "-e", "sleep"}, want: "perl"},
	})
	const beam = "/usr/lib/erlang/erts-13.1.5/bin/beam.smp"
	checkNames(t, "erlang", []commandLine{
		{exe: beam, args: words("beam.smp -- -root /opt/shop -progname erl -- -sname orders -setcookie secret"), want: "orders"},
		{exe: beam, args: words("beam.smp -- -root /opt/shop -- -name orders@10.0.0.1"), want: "orders"},
		{exe: beam, args: words("beam.smp -- -root /opt/shop/releases -progname erl"), want: "shop"},
		{exe: beam, args: words("beam.smp -- -root /opt/shop"), env: []string{"RELEASE_NAME=storefront"}, want: "storefront"},
		{exe: beam, args: words("beam.smp -- -root /usr/lib/erlang -extra /usr/bin/mix phx.server"), want: "bookshop"},
		{exe: beam, args: words("beam.smp -- -root /usr/lib/erlang -progname erl"), want: "beam"},
	})
}

// Programs without an interpreter go by their file, whatever they wrote over
// their command line.
func TestExecutables(t *testing.T) {
	checkNames(t, "", []commandLine{
		{exe: "/nonexistent/nginx", args: []string{"nginx: master process /usr/sbin/nginx -g daemon off;"}, want: "nginx"},
		{exe: "/nonexistent/bin/postgres", args: []string{"postgres: 15/main: walwriter "}, want: "postgres"},
		{exe: "/nonexistent/k3s", args: words("k3s server"), want: "k3s"},
		{exe: "/nonexistent/busybox", args: words("httpd -f -p 80"), want: "httpd"},
		{exe: "/nonexistent/My Program", args: []string{"/nonexistent/My Program"}, want: "My Program"},
		{args: []string{"nginx: worker process"}, want: "nginx"}, // exe not readable
		{args: words("/usr/sbin/lighttpd -D"), want: "lighttpd"},
	})
}
