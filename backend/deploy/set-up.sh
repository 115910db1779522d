#!/usr/bin/env bash
# What has to be there once, before cloudbuild.yaml can deploy: run by an owner of the project, again at any time. It
# makes what is missing and says again who may do what; it deletes nothing.
#
# It is no part of the build: an account that can make keys and say who may use them could let itself decrypt.
#
#   PROJECT=… REGION=… backend/deploy/set-up.sh
set -euo pipefail
: "${PROJECT:?set it to the id of the Google Cloud project}"
: "${REGION:?set it to a region that has Cloud Run, Cloud Tasks and Firestore, like us-west1}"
export CLOUDSDK_CORE_PROJECT=$PROJECT CLOUDSDK_CORE_DISABLE_PROMPTS=1

account() { echo "$1@$PROJECT.iam.gserviceaccount.com"; }
member() { echo "serviceAccount:$(account "$1")"; }
say() { echo "— $*" >&2; }
# Whether something is there. What may not be seen counts as missing: making it then says why.
there() { "$@" >/dev/null 2>&1; }

say 'APIs'
gcloud services enable run.googleapis.com cloudtasks.googleapis.com cloudscheduler.googleapis.com \
  firestore.googleapis.com cloudkms.googleapis.com secretmanager.googleapis.com \
  artifactregistry.googleapis.com cloudbuild.googleapis.com iam.googleapis.com

say 'service accounts'
for name in waybill-api waybill-runner waybill-queue waybill-build; do
  there gcloud iam service-accounts describe "$(account $name)" ||
    gcloud iam service-accounts create $name
done

say 'databases: one for everything but keys, one for keys alone, of which no copy is ever kept'
for database in waybill waybill-keys; do
  there gcloud firestore databases describe --database=$database ||
    gcloud firestore databases create --database=$database --location="$REGION" --delete-protection
done
# Whether versions of everything else are kept is the operator's choice, and turning that off would throw them away.
gcloud firestore databases update --database=waybill --delete-protection
gcloud firestore databases update --database=waybill-keys --delete-protection --no-enable-pitr

say 'the key that wraps the keys'
there gcloud kms keyrings describe waybill --location="$REGION" ||
  gcloud kms keyrings create waybill --location="$REGION"
there gcloud kms keys describe keks --keyring=waybill --location="$REGION" ||
  gcloud kms keys create keks --keyring=waybill --location="$REGION" --purpose=encryption \
    --rotation-period=90d --next-rotation-time=+p90d

say 'the key that signs the heads of audit logs'
there gcloud kms keys describe heads --keyring=waybill --location="$REGION" ||
  gcloud kms keys create heads --keyring=waybill --location="$REGION" \
    --purpose=asymmetric-signing --default-algorithm=ec-sign-ed25519

say 'the queue; the build sets how fast it is'
there gcloud tasks queues describe waybill-runs --location="$REGION" ||
  gcloud tasks queues create waybill-runs --location="$REGION"

say 'places for images and for sources to build'
there gcloud artifacts repositories describe waybill --location="$REGION" ||
  gcloud artifacts repositories create waybill --location="$REGION" --repository-format=docker
there gcloud storage buckets describe "gs://$PROJECT-waybill-source" ||
  gcloud storage buckets create "gs://$PROJECT-waybill-source" --location="$REGION" \
    --uniform-bucket-level-access --public-access-prevention

say 'secrets, without a value yet'
for secret in google-client-id google-client-secret dropbox-app-key dropbox-app-secret; do
  there gcloud secrets describe waybill-$secret ||
    gcloud secrets create waybill-$secret --replication-policy=automatic
done

# Cloud Run's own check of callers is off at both: it takes the signature from the tokens that it has checked, and
# Waybill checks signatures itself. https://docs.cloud.google.com/run/docs/authenticating/service-to-service
say 'services, with an image that only says hello'
hello=us-docker.pkg.dev/cloudrun/container/hello
there gcloud run services describe waybill-api --region="$REGION" ||
  gcloud run deploy waybill-api --region="$REGION" --image=$hello --ingress=all \
    --service-account="$(account waybill-api)" --no-invoker-iam-check
there gcloud run services describe waybill-runner --region="$REGION" ||
  gcloud run deploy waybill-runner --region="$REGION" --image=$hello --ingress=internal \
    --service-account="$(account waybill-runner)" --no-invoker-iam-check

say 'who may do what'
project_role() {
  gcloud projects add-iam-policy-binding "$PROJECT" --member="$(member "$1")" --role="$2" \
    --condition=None >/dev/null
}
act_as() {
  gcloud iam service-accounts add-iam-policy-binding "$(account "$2")" --member="$(member "$1")" \
    --role=roles/iam.serviceAccountUser >/dev/null
}
for name in waybill-api waybill-runner; do
  project_role $name roles/datastore.user
  # To wrap and unwrap, and to see which versions there are. Nobody else gets either.
  for role in roles/cloudkms.cryptoKeyEncrypterDecrypter roles/cloudkms.viewer; do
    gcloud kms keys add-iam-policy-binding keks --keyring=waybill --location="$REGION" \
      --member="$(member $name)" --role=$role >/dev/null
  done
  # To make tasks that are delivered as the queue's account.
  gcloud tasks queues add-iam-policy-binding waybill-runs --location="$REGION" \
    --member="$(member $name)" --role=roles/cloudtasks.enqueuer >/dev/null
  act_as $name waybill-queue
  for secret in google-client-id google-client-secret dropbox-app-key dropbox-app-secret; do
    gcloud secrets add-iam-policy-binding waybill-$secret --member="$(member $name)" \
      --role=roles/secretmanager.secretAccessor >/dev/null
  done
done
# To sign, and to see the public key: the tick signs, and it runs there.
for role in roles/cloudkms.signer roles/cloudkms.publicKeyViewer; do
  gcloud kms keys add-iam-policy-binding heads --keyring=waybill --location="$REGION" \
    --member="$(member waybill-runner)" --role=$role >/dev/null
done
gcloud run services add-iam-policy-binding waybill-runner --region="$REGION" \
  --member="$(member waybill-queue)" --role=roles/run.invoker >/dev/null

for role in roles/run.developer roles/cloudscheduler.admin roles/datastore.indexAdmin \
  roles/logging.logWriter roles/serviceusage.serviceUsageConsumer; do
  project_role waybill-build $role
done
for name in waybill-api waybill-runner waybill-queue; do act_as waybill-build $name; done
gcloud tasks queues add-iam-policy-binding waybill-runs --location="$REGION" \
  --member="$(member waybill-build)" --role=roles/cloudtasks.queueAdmin >/dev/null
gcloud artifacts repositories add-iam-policy-binding waybill --location="$REGION" \
  --member="$(member waybill-build)" --role=roles/artifactregistry.writer >/dev/null
gcloud storage buckets add-iam-policy-binding "gs://$PROJECT-waybill-source" \
  --member="$(member waybill-build)" --role=roles/storage.objectViewer >/dev/null

say 'done'
